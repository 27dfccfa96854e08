// Pays with Stripe, by Node's fetch. The client secrets of the answers go into a
// query, a form and a JSON array.
//
//   tapedeck exec -- node examples/flows/clients/payments.mjs
//
// Needs STRIPE_API_KEY.

const api = 'https://api.stripe.com/v1/';

async function call(name, method, path, { form, json, key } = {}) {
  const headers = {};
  if (key) headers.Authorization = `Bearer ${process.env.STRIPE_API_KEY}`;
  if (json) headers['Content-Type'] = 'application/json';
  const body = json ? JSON.stringify(json) : form && new URLSearchParams(form);
  const response = await fetch(api + path, { method, headers, body });
  const answer = await response.json();
  console.log(`== ${name} ${response.status}`);
  console.log(JSON.stringify(answer, (k, v) => (k === 'client_secret' ? '(hidden)' : v)));
  return answer;
}

// As Stripe.js checks what it is given.
function checked({ client_secret }) {
  if (!/^(pi|seti)_[^_]+_secret_[^_]+$/.test(client_secret)) throw new Error('not a client secret');
  return client_secret;
}

const intent = await call('payment', 'POST', 'payment_intents', { key: true, form: { amount: '2000', currency: 'eur' } });
const setup = await call('setup', 'POST', 'setup_intents', { key: true, form: { customer: 'cus_1' } });
const path = `payment_intents/${intent.id}`;
const read = await call('in-a-query', 'GET', `${path}?client_secret=${encodeURIComponent(checked(intent))}`);
if (read.client_secret !== intent.client_secret) throw new Error('another client secret than before');
await call('in-a-form', 'POST', `${path}/confirm`, { form: { client_secret: checked(read), return_url: 'https://shop.acme.dev/thanks' } });
await call('in-an-array', 'POST', 'client_secrets/check', { json: { intents: [checked(setup), checked(intent)] } });
await call('the-wrong-one', 'GET', `${path}?client_secret=${encodeURIComponent(checked(setup))}`);
