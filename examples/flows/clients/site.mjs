// Logs in to a site, by Node's fetch with cookies kept by hand: cookies, and CSRF
// tokens from pages and headers.
//
//   tapedeck exec -- node examples/flows/clients/site.mjs
//
// Needs LOGIN_PASSWORD. Prints what it sees, without the tokens.

const shop = 'https://shop.acme.dev';
const input =
  /<input (?:type="hidden" name="csrf_token" value="([^"]+)"|value="([^"]+)" type="hidden" name="csrf_token"\/)>/g;
const cookies = new Map();

async function call(name, path, options = {}) {
  const headers = new Headers(options.headers);
  if (cookies.size > 0) {
    headers.set('Cookie', [...cookies].map(([k, v]) => `${k}=${v}`).join('; '));
  }
  const response = await fetch(shop + path, { ...options, headers, redirect: 'manual' });
  for (const line of response.headers.getSetCookie()) {
    const [pair, ...attributes] = line.split(';');
    const [key, value] = pair.split('=', 2);
    if (attributes.some((a) => a.trim() === 'Max-Age=0')) cookies.delete(key);
    else cookies.set(key, value);
  }
  const text = await response.text();
  console.log(`== ${name} ${response.status} ${response.headers.get('Location') ?? ''}`);
  console.log(text.replace(input, '<input (hidden)>'));
  return { response, text };
}

function hidden({ text }) {
  const [found] = text.matchAll(input);
  if (!found) throw new Error('the page has no token');
  return found[1] ?? found[2];
}

const form = (fields) => ({ method: 'POST', body: new URLSearchParams(fields) });

await call('stranger', '/account');
const login = await call('login', '/login');
const { LOGIN_PASSWORD } = process.env;
await call('logged-in', '/login', form({ user: 'ada', password: LOGIN_PASSWORD, csrf_token: hidden(login) }));
let account = await call('account', '/account');
let token = account.response.headers.get('X-CSRF-Token');
for (const n of [0, 1]) {
  const added = await call(`add-${n}`, '/cart', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': token },
    body: JSON.stringify({ item: 'loom' }),
  });
  token = added.response.headers.get('X-CSRF-Token');
}
account = await call('account-again', '/account');
await call('logout', '/logout', form({ csrf_token: hidden(account) }));
await call('stranger-again', '/account');
