// A client of a shop's API. It knows nothing of tapedeck.
const api = 'https://api.shop.example';

export class Shop {
  constructor(key, fetch = globalThis.fetch) {
    this.key = key;
    this.fetch = fetch;
  }

  buy(item, quantity, currency) { return this.#call('POST', '/orders', { item, quantity, currency }); }
  order(id) { return this.#call('GET', `/orders/${id}`); }
  refund(id) { return this.#call('POST', `/orders/${id}/refund`); }

  async #call(method, path, body) {
    const answer = await this.fetch(api + path, {
      method,
      headers: { 'Authorization': `Bearer ${this.key}`, 'Content-Type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
    return answer.json();
  }
}
