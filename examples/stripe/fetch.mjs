// A checkout with Stripe, by Node's own fetch.
//
//   tapedeck exec -- node examples/stripe/fetch.mjs
//
// Needs STRIPE_API_KEY; AMOUNT is in cents. ORDER=reversed writes the same
// parameters in reverse order.

const api = 'https://api.stripe.com/v1/';
const { STRIPE_API_KEY, AMOUNT = '2000', ORDER } = process.env;

function encode(fields) {
  // Stable: equal names keep their order, which has a meaning.
  const ordered =
    ORDER === 'reversed'
      ? [...fields].sort(([a], [b]) => (a < b ? 1 : a > b ? -1 : 0))
      : fields;
  return new URLSearchParams(ordered);
}

async function call(method, name, path, fields) {
  const body = encode(fields);
  const url = api + path + (method === 'GET' ? `?${body}` : '');
  const response = await fetch(url, {
    method,
    headers: { Authorization: `Bearer ${STRIPE_API_KEY}` },
    body: method === 'GET' ? undefined : body,
  });
  const text = await response.text();
  console.log(`== ${name} ${response.status}`);
  console.log(text.replace(/("client_secret": *)"[^"]+"/g, '$1"(hidden)"'));
  return JSON.parse(text);
}

const customer = await call('POST', 'customer', 'customers', [
  ['name', 'Ada Lovelace'],
  ['email', 'ada@example.com'],
  ['metadata[team]', 'engines & looms'],
  ['metadata[order]', '6735'],
]);

const element = 'components[payment_element]';
await call('POST', 'customer-session', 'customer_sessions', [
  ['customer', customer.id],
  ['components[buy_button][enabled]', 'true'],
  ['components[pricing_table][enabled]', 'false'],
  [`${element}[enabled]`, 'true'],
  [`${element}[features][payment_method_redisplay]`, 'enabled'],
  [`${element}[features][payment_method_allow_redisplay_filters][]`, 'always'],
  [`${element}[features][payment_method_allow_redisplay_filters][]`, 'limited'],
]);

const checkout = await call('POST', 'checkout', 'checkout/sessions', [
  ['mode', 'payment'],
  ['customer', customer.id],
  ['success_url', 'https://shop.example.com/thanks'],
  ['line_items[0][price_data][currency]', 'eur'],
  ['line_items[0][price_data][unit_amount]', '2500'],
  ['line_items[0][price_data][product_data][name]', 'T-shirt, "blue" 100%'],
  ['line_items[0][quantity]', '2'],
  ['line_items[1][price]', 'price_1PgafmB7WZ01zgkW02Hf9z6c'],
  ['line_items[1][quantity]', '1'],
  ['metadata[campaign]', 'spring'],
  ['metadata[order]', '6735'],
]);

// All items again, in the order they are to have; an empty value unsets a key.
await call('POST', 'checkout-update', `checkout/sessions/${checkout.id}`, [
  ['line_items[0][id]', 'li_1PgafmB7WZ01zgkWsecond1'],
  ['line_items[0][quantity]', '1'],
  ['line_items[1][id]', 'li_1PgafmB7WZ01zgkWfirst22'],
  ['line_items[1][quantity]', '3'],
  ['metadata[campaign]', ''],
  ['expand[]', 'line_items'],
]);

await call('GET', 'checkout-again', `checkout/sessions/${checkout.id}`, [
  ['expand[]', 'customer'],
  ['expand[]', 'line_items'],
]);
await call('GET', 'customers', 'customers', [
  ['limit', '3'],
  ['expand[]', 'data.default_source'],
]);

const payment = await call('POST', 'payment', 'payment_intents', [
  ['amount', AMOUNT],
  ['currency', 'eur'],
  ['customer', customer.id],
  ['automatic_payment_methods[enabled]', 'true'],
]);

// The secret of one answer goes into the next request.
if (payment.id) {
  await call('GET', 'payment-again', `payment_intents/${payment.id}`, [
    ['client_secret', payment.client_secret],
  ]);
}
