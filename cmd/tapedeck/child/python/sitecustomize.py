# Makes aiohttp read the proxy variables: its ClientSession does so only with trust_env=True.
# aiohttp is not imported here; the default changes when the program imports it.
# A sitecustomize that stands later on the path runs as it would without this one.
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _trust_env(client):
    session = client.ClientSession
    if getattr(session, "_tapedeck_trust_env", False):
        return
    original = session.__init__

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("trust_env", True)
        original(self, *args, **kwargs)

    __init__.__doc__ = original.__doc__
    __init__.__wrapped__ = original
    session.__init__ = __init__
    session._tapedeck_trust_env = True


class _Finder(object):
    """Finds aiohttp.client as Python would, and changes the default once it has run."""

    def find_spec(self, name, path=None, target=None):
        if name != "aiohttp.client":
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                _after(spec.loader, _trust_env)
                return spec
        return None


def _after(loader, change):
    run = getattr(loader, "exec_module", None)
    if run is None:
        return

    def exec_module(module):
        run(module)
        try:
            change(module)
        except Exception:
            pass  # an aiohttp of another shape works, without the proxy

    loader.exec_module = exec_module


def _next_sitecustomize():
    path = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != _HERE]
    spec = PathFinder.find_spec("sitecustomize", path)
    if spec is None or spec.loader is None:
        return
    from importlib.util import module_from_spec

    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


try:
    from importlib.machinery import PathFinder
except ImportError:
    pass  # Python 2, for which there is no aiohttp
else:
    sys.meta_path.insert(0, _Finder())
    _next_sitecustomize()
