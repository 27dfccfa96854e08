// A checkout with Stripe, by its SDK for Node. Nothing in it knows of a proxy.
//
//   tapedeck exec -- node examples/stripe/sdk.mjs
//
// Needs STRIPE_API_KEY; AMOUNT is in cents. ORDER=reversed writes the same
// parameters in reverse order.

import Stripe from 'stripe';

const { STRIPE_API_KEY, AMOUNT = '2000', ORDER } = process.env;
const stripe = new Stripe(STRIPE_API_KEY);

function params(object) {
  if (ORDER !== 'reversed') return object;
  if (Array.isArray(object)) return object.map(params);
  if (object === null || typeof object !== 'object') return object;
  return Object.fromEntries(
    Object.entries(object)
      .map(([name, value]) => [name, params(value)])
      .reverse(),
  );
}

function show(name, object) {
  console.log(`== ${name} ${object.lastResponse.statusCode} ${object.lastResponse.requestId}`);
  console.log(
    JSON.stringify(object, null, 2).replace(/("client_secret": *)"[^"]+"/g, '$1"(hidden)"'),
  );
  return object;
}

try {
  const customer = show(
    'customer',
    await stripe.customers.create(
      params({
        name: 'Ada Lovelace',
        email: 'ada@example.com',
        metadata: { team: 'engines & looms', order: '6735' },
      }),
    ),
  );

  show(
    'customer-session',
    await stripe.customerSessions.create(
      params({
        customer: customer.id,
        components: {
          buy_button: { enabled: true },
          pricing_table: { enabled: false },
          payment_element: {
            enabled: true,
            features: {
              payment_method_redisplay: 'enabled',
              payment_method_allow_redisplay_filters: ['always', 'limited'],
            },
          },
        },
      }),
    ),
  );

  const checkout = show(
    'checkout',
    await stripe.checkout.sessions.create(
      params({
        mode: 'payment',
        customer: customer.id,
        success_url: 'https://shop.example.com/thanks',
        line_items: [
          {
            price_data: {
              currency: 'eur',
              unit_amount: 2500,
              product_data: { name: 'T-shirt, "blue" 100%' },
            },
            quantity: 2,
          },
          { price: 'price_1PgafmB7WZ01zgkW02Hf9z6c', quantity: 1 },
        ],
        metadata: { campaign: 'spring', order: '6735' },
      }),
    ),
  );

  // All items again, in the order they are to have; an empty value unsets a key.
  show(
    'checkout-update',
    await stripe.checkout.sessions.update(
      checkout.id,
      params({
        line_items: [
          { id: 'li_1PgafmB7WZ01zgkWsecond1', quantity: 1 },
          { id: 'li_1PgafmB7WZ01zgkWfirst22', quantity: 3 },
        ],
        metadata: { campaign: '' },
        expand: ['line_items'],
      }),
    ),
  );

  show(
    'checkout-again',
    await stripe.checkout.sessions.retrieve(checkout.id, { expand: ['customer', 'line_items'] }),
  );
  show(
    'customers',
    await stripe.customers.list(params({ limit: 3, expand: ['data.default_source'] })),
  );

  const payment = show(
    'payment',
    await stripe.paymentIntents.create(
      params({
        amount: Number(AMOUNT),
        currency: 'eur',
        customer: customer.id,
        automatic_payment_methods: { enabled: true },
      }),
    ),
  );

  // The secret of one answer goes into the next request.
  show(
    'payment-again',
    await stripe.paymentIntents.retrieve(payment.id, { client_secret: payment.client_secret }),
  );
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
