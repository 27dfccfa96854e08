// Sends a Node program's requests to the proxy that the environment names. Node 18 and 20 know no
// proxies at all. Newer ones do under NODE_USE_ENV_PROXY, but only for fetch and their own agents, and
// these hang when a tunnel is refused and send requests for the proxy to the proxy when NO_PROXY is
// empty; so the variable serves programs that drop NODE_OPTIONS, and its agents are replaced here.
// This routes every http and https agent, also those that SDKs build themselves, http2.connect, and
// fetch, always through a CONNECT tunnel, so that a request and its TLS options stay exactly as the
// program made them. Without proxy variables it does nothing, and it never prints.
'use strict';

(() => {
  const installed = Symbol.for('tapedeck.preload');
  if (globalThis[installed] || process.versions.bun || process.versions.deno) return;
  globalThis[installed] = true;

  const http = require('http');
  const https = require('https');
  const net = require('net');
  const { Duplex } = require('stream');
  const tls = require('tls');

  const settings = readSettings();
  if (!settings.http && !settings.https) return;
  routeAgents();
  for (const route of [routeHTTP2, routeFetch]) {
    try {
      route();
    } catch {
      // A Node built without it, or of another shape: the others are routed all the same.
    }
  }
  require('module').syncBuiltinESMExports();

  // readSettings reads the variables once, before the program changes them.
  function readSettings() {
    const read = (name) => process.env[name.toLowerCase()] || process.env[name] || '';
    return {
      http: parseProxy(read('HTTP_PROXY') || read('ALL_PROXY')),
      https: parseProxy(read('HTTPS_PROXY') || read('ALL_PROXY')),
      direct: parseNoProxy(read('NO_PROXY')),
    };
  }

  function parseProxy(text) {
    let url;
    try {
      url = new URL(text);
    } catch {
      return null;
    }
    if (url.protocol !== 'http:') return null;
    const user = decodeURIComponent(url.username);
    const password = decodeURIComponent(url.password);
    return {
      host: bare(url.hostname),
      port: Number(url.port) || 80,
      credentials: user || password ? Buffer.from(`${user}:${password}`).toString('base64') : '',
    };
  }

  function parseNoProxy(text) {
    return text.split(/[\s,]+/).filter(Boolean).map((entry) => {
      const [, host, port] = /^(.*?)(?::(\d+))?$/.exec(net.isIPv6(entry) ? `[${entry}]` : entry);
      const name = bare(host).toLowerCase();
      const [, address, bits] = /^(.*)\/(\d+)$/.exec(name) || [];
      if (address && net.isIP(address)) {
        const block = new net.BlockList();
        try {
          block.addSubnet(address, Number(bits), net.isIPv6(address) ? 'ipv6' : 'ipv4');
        } catch {
          return () => false;
        }
        return (h) => net.isIP(h) !== 0 && block.check(h, net.isIPv6(h) ? 'ipv6' : 'ipv4');
      }
      const suffix = name.replace(/^\*?\./, '');
      return (h, p) => (!port || Number(port) === p) &&
        (name === '*' || h === suffix || (!net.isIP(h) && h.endsWith(`.${suffix}`)));
    });
  }

  // proxyFor returns the proxy for a target, or null when the connection is to be direct. The proxy
  // itself is always reached directly: programs that know proxies connect to it by themselves.
  function proxyFor(secure, host, port) {
    const proxy = secure ? settings.https : settings.http;
    const name = bare(host).toLowerCase().replace(/\.$/, '');
    if (!proxy || name === proxy.host && port === proxy.port) return null;
    return settings.direct.some((matches) => matches(name, port)) ? null : proxy;
  }

  function bare(host) {
    return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  }

  // tunnel opens a connection to host:port through the proxy and calls done(error, socket) once.
  // It returns the socket, which may be destroyed before.
  function tunnel(proxy, host, port, done) {
    const socket = net.connect({ host: proxy.host, port: proxy.port, noDelay: true });
    const authority = `${net.isIPv6(bare(host)) ? `[${bare(host)}]` : host}:${port}`;
    let reply = Buffer.alloc(0);
    const finish = (error) => {
      socket.off('readable', onReadable).off('error', finish).off('end', onEnd).off('close', onEnd);
      if (!error) return done(null, socket);
      socket.on('error', () => {}).destroy();
      done(error);
    };
    const fail = (reason, code) => finish(Object.assign(
      new Error(`proxy ${proxy.host}:${proxy.port}: CONNECT ${authority}: ${reason}`), { code }));
    const onEnd = () => fail('connection closed', 'ECONNRESET');
    const onReadable = () => {
      for (let chunk; (chunk = socket.read()) !== null;) reply = Buffer.concat([reply, chunk]);
      const end = reply.indexOf('\r\n\r\n');
      if (end < 0) {
        if (reply.length > 65536) fail('the reply is not HTTP', 'EPROTO');
        return;
      }
      const head = reply.toString('latin1', 0, end);
      const rest = reply.subarray(end + 4);
      if (!/^HTTP\/1\.\d 2\d\d/.test(head)) {
        // What stands after the head is the proxy's own explanation.
        return fail(`${head.split('\r\n')[0]} ${rest.toString('utf8', 0, 1000)}`.trim(), 'ECONNREFUSED');
      }
      if (rest.length > 0) socket.unshift(rest);
      finish();
    };
    socket.on('readable', onReadable).on('error', finish).on('end', onEnd).on('close', onEnd);
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n` +
      (proxy.credentials && `Proxy-Authorization: Basic ${proxy.credentials}\r\n`) + '\r\n');
    return socket;
  }

  // A Tunnel is a connection through the proxy that can be used at once, as agents and SDKs expect of
  // net.connect: what is written before it is open waits. It has the methods that clients call on a
  // socket.
  class Tunnel extends Duplex {
    #raw;
    #open = false;
    #waiting = [];

    constructor(proxy, host, port) {
      super();
      this.connecting = true;
      this.#raw = tunnel(proxy, host, port, (error, socket) => {
        if (error) return this.destroy(error);
        this.#open = true;
        this.connecting = false;
        socket.on('data', (chunk) => this.push(chunk) || socket.pause());
        socket.on('end', () => this.push(null));
        socket.on('error', (failure) => this.destroy(failure));
        socket.on('close', () => this.destroy());
        for (const action of this.#waiting.splice(0)) action();
        this.emit('connect');
        this.emit('ready');
      });
      this.#raw.on('timeout', () => this.emit('timeout'));
    }

    // hold returns the TLS socket that make puts on this tunnel. A tunnel has a socket of its own that
    // keeps the process alive, so the TLS socket's ref and unref must reach it.
    hold(make) {
      this.connecting = false; // TLS may begin: its first bytes wait here
      let socket;
      try {
        socket = make();
      } catch (error) { // such as a key that does not fit its certificate
        this.destroy();
        throw error;
      }
      for (const name of ['ref', 'unref']) {
        const original = socket[name];
        socket[name] = (...args) => {
          this[name]();
          return original.apply(socket, args);
        };
      }
      return socket;
    }

    #whenOpen(action) {
      if (this.#open) action();
      else this.#waiting.push(action);
    }

    _read() { if (this.#open) this.#raw.resume(); }
    _write(chunk, encoding, done) { this.#whenOpen(() => this.#raw.write(chunk, encoding, done)); }
    _final(done) { this.#whenOpen(() => this.#raw.end(done)); }
    _destroy(error, done) {
      this.#raw.destroy();
      done(error);
    }

    get timeout() { return this.#raw.timeout; }
    get remoteAddress() { return this.#raw.remoteAddress; }
    get remotePort() { return this.#raw.remotePort; }
    get remoteFamily() { return this.#raw.remoteFamily; }
    get localAddress() { return this.#raw.localAddress; }
    get localPort() { return this.#raw.localPort; }
    get bytesRead() { return this.#raw.bytesRead; }
    get bytesWritten() { return this.#raw.bytesWritten; }

    setTimeout(ms, listener) {
      if (listener) this.once('timeout', listener);
      this.#raw.setTimeout(ms);
      return this;
    }
    setNoDelay(...args) { return this.#forward('setNoDelay', args); }
    setKeepAlive(...args) { return this.#forward('setKeepAlive', args); }
    ref() { return this.#forward('ref', []); }
    unref() { return this.#forward('unref', []); }
    destroySoon() {
      if (this.writable) this.end();
      if (this.writableFinished) this.destroy();
      else this.once('finish', () => this.destroy());
    }

    #forward(name, args) {
      this.#raw[name](...args);
      return this;
    }
  }

  function routeAgents() {
    routeAgent(http.Agent.prototype, false);
    routeAgent(https.Agent.prototype, true);
    for (const module of [http, https]) {
      const { proxyEnv, ...options } = module.globalAgent.options;
      if (proxyEnv) module.globalAgent = new module.Agent(options);
    }
  }

  function routeAgent(prototype, secure) {
    const original = prototype.createConnection;
    prototype.createConnection = function createConnection(...args) {
      const options = connectOptions(args);
      const port = Number(options.port) || (secure ? 443 : 80);
      const host = options.host || 'localhost';
      // Agents that the program gives a proxyEnv route by themselves; a socket or a path is no network.
      const proxy = !options.socket && !options.path && !options.socketPath && !this?.options?.proxyEnv &&
        proxyFor(secure, host, port);
      if (!proxy) return original.apply(this, args);
      const stream = new Tunnel(proxy, host, port);
      const socket = secure ? stream.hold(() => original.call(this, { ...options, socket: stream })) : stream;
      if (options.timeout) socket.setTimeout(options.timeout);
      if (options.keepAlive) stream.setKeepAlive(true, options.keepAliveInitialDelay);
      return socket;
    };
  }

  // connectOptions reads (options[, callback]) and (port[, host][, options][, callback]).
  function connectOptions(args) {
    const options = Object.assign({}, ...args.filter((arg) => arg && typeof arg === 'object'));
    if (typeof args[0] === 'number' || typeof args[0] === 'string') options.port = args[0];
    if (typeof args[1] === 'string') options.host = args[1];
    return options;
  }

  // routeFetch replaces the dispatcher that fetch and the undici package share. Its class is had from
  // the instance that a lazy global creates. Under NODE_USE_ENV_PROXY, Node that knows it sets one
  // that routes after the preloads, and warns of it.
  function routeFetch() {
    if (process.env.NODE_USE_ENV_PROXY) swallowWarning('UNDICI-EHPA');
    void globalThis.Headers;
    const [current, legacy] = [Symbol.for('undici.globalDispatcher.2'), Symbol.for('undici.globalDispatcher.1')];
    const dispatcher = globalThis[current] ?? globalThis[legacy];
    if (dispatcher?.constructor.name !== 'Agent') return;
    const agent = new dispatcher.constructor({ connect: connectFetch });
    const wrapper = globalThis[current] && globalThis[legacy]?.constructor;
    if (globalThis[current]) globalThis[current] = agent;
    globalThis[legacy] = wrapper?.name === 'Dispatcher1Wrapper' ? new wrapper(agent) : agent;
  }

  // swallowWarning keeps a warning of Node's start from being printed.
  function swallowWarning(code) {
    const emit = process.emit;
    const quiet = function (name, warning) {
      if (name === 'warning' && warning?.code === code) return false;
      return emit.apply(this, arguments);
    };
    process.emit = quiet;
    setImmediate(() => { if (process.emit === quiet) process.emit = emit; }).unref();
  }

  // connectFetch is undici's connector: it calls back with a socket, connected and, for https, after
  // the handshake.
  function connectFetch({ hostname, protocol, port, servername, localAddress }, callback) {
    const secure = protocol === 'https:';
    port = Number(port) || (secure ? 443 : 80);
    let socket;
    const timer = setTimeout(() => finish(Object.assign(new Error('Connect Timeout Error'),
      { name: 'ConnectTimeoutError', code: 'UND_ERR_CONNECT_TIMEOUT' })), 10_000);
    const finish = (error) => {
      clearTimeout(timer);
      const report = callback;
      callback = null;
      if (!report) return;
      if (error) {
        socket.on('error', () => {}).destroy();
        report(error);
        return;
      }
      socket.off('error', finish);
      socket.setNoDelay(true).setKeepAlive(true, 60_000);
      report(null, socket);
    };
    const handshake = (raw) => {
      socket = tls.connect({
        ...(raw ? { socket: raw } : { localAddress }),
        host: hostname,
        port,
        servername: servername || (net.isIP(hostname) ? '' : hostname),
        ALPNProtocols: ['http/1.1'],
      });
      socket.once('secureConnect', () => finish()).once('error', finish);
    };
    const proxy = proxyFor(secure, hostname, port);
    if (proxy) {
      socket = tunnel(proxy, hostname, port, (error, raw) => {
        if (error || !secure) return finish(error);
        if (callback) handshake(raw);
      });
    } else if (secure) {
      handshake();
    } else {
      socket = net.connect({ host: hostname, port, localAddress });
      socket.once('connect', () => finish()).once('error', finish);
    }
  }

  // routeHTTP2 gives http2.connect a socket of ours.
  function routeHTTP2() {
    const http2 = require('http2');
    const original = http2.connect;
    http2.connect = function connect(authority, options, listener) {
      if (typeof options === 'function') [listener, options] = [options, undefined];
      let url;
      try {
        url = typeof authority === 'string' ? new URL(authority) : authority;
      } catch {
        return original.call(this, authority, options, listener); // which says what is wrong
      }
      const secure = (url.protocol || options?.protocol || 'https:') === 'https:';
      const host = bare(url.hostname || url.host || 'localhost');
      const port = Number(url.port) || (secure ? 443 : 80);
      const proxy = !options?.createConnection && !options?.socket && proxyFor(secure, host, port);
      if (!proxy) return original.call(this, authority, options, listener);
      const createConnection = () => {
        const stream = new Tunnel(proxy, host, port);
        if (!secure) return stream;
        return stream.hold(() => tls.connect({
          ALPNProtocols: ['h2'],
          ...options,
          socket: stream,
          host,
          port,
          servername: options?.servername ?? (net.isIP(host) ? '' : host),
        }));
      };
      return original.call(this, authority, { ...options, createConnection }, listener);
    };
  }
})();
