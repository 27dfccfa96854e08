import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Shop } from './shop.mjs';
import { tapedeck } from './tapedeck.mjs';

const key = process.env.SHOP_KEY ?? 'unused';

describe('shop', { concurrency: true }, () => {
  for (const [currency, total] of Object.entries({ EUR: 2500, USD: 2750, JPY: 4000 })) {
    it(`buys in ${currency}`, async (t) => {
      const shop = new Shop(key, await tapedeck(t, `buy/${currency}`));
      const order = await shop.buy('loom', 2, currency);
      t.diagnostic(`buy/${currency}: ${order.id}`);
      assert.equal(order.total, total);
    });
  }

  it('refunds', async (t) => {
    const shop = new Shop(key, await tapedeck(t, 'refund'));
    const { id } = await shop.buy('loom', 2, 'EUR');
    t.diagnostic(`refund: ${id}`);
    assert.equal((await shop.order(id)).status, 'open');
    await shop.refund(id);
    assert.equal((await shop.order(id)).status, 'refunded');
  });

  // Sends what QUANTITY says: change it, and see which test fails.
  it('buys in quantity', async (t) => {
    const shop = new Shop(key, await tapedeck(t, 'quantity'));
    const order = await shop.buy('engine', Number(process.env.QUANTITY ?? 3), 'USD');
    t.diagnostic(`quantity: ${order.id}`);
  });
});
