// Charges cards, by Node's fetch.
//
//   tapedeck exec -- node examples/flows/clients/cards.mjs good=4242424242424242 bad=tok_chargeDeclined
//
// Needs STRIPE_API_KEY. Each argument is a name to print and a card's number or a
// token. A number is sent twice, in a form and in JSON. Prints what became of it.

const headers = { Authorization: `Bearer ${process.env.STRIPE_API_KEY}` };

async function call(name, path, options) {
  const response = await fetch(`https://api.stripe.com/v1/${path}`, { method: 'POST', ...options });
  const answer = await response.json();
  console.log(`== ${name} ${response.status} ${answer.error?.code ?? answer.id ?? ''}`);
}

for (const argument of process.argv.slice(2)) {
  const [name, source] = argument.split('=', 2);
  const number = /^\d/.test(source);
  const body = new URLSearchParams({ amount: '2000', currency: 'eur', [number ? 'card[number]' : 'source']: source });
  await call(`charge-${name}`, 'charges', { headers, body });
  if (!number) continue;
  await call(`token-${name}`, 'tokens', {
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify({ card: { number: source, exp_year: 2034 } }),
  });
}
