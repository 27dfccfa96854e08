import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

// tapedeck gives a test a fetch whose requests belong to it alone, under
//
//   tapedeck exec --cassettes cassettes -- node --test
//
// The test chooses its cassette when it starts, such as 'checkout/refund'. A request that is not recorded
// fails this test and no other. Without tapedeck it is the plain fetch.
export async function tapedeck(t, cassette) {
  const control = process.env.TAPEDECK_CONTROL;
  if (!control) return fetch;
  const session = randomUUID(); // who calls; what is played is the cassette
  const ask = async (method, body) => {
    const answer = await fetch(`${control}/sessions/${session}`, {
      method,
      headers: { Authorization: `Bearer ${process.env.TAPEDECK_TOKEN}` },
      body: body && JSON.stringify(body),
    });
    const report = await answer.json();
    assert.ok(answer.ok, report.error?.message);
    return report;
  };
  await ask('PUT', { cassette });
  t.after(async () => {
    const { misses = [] } = await ask('DELETE');
    const why = misses.map((miss) => miss.text).join('\n\n');
    if (why) t.diagnostic?.(why); // a test that has failed already does not show why this fails it, too
    assert.ok(misses.length === 0, why);
  });
  return (input, options) => {
    const request = new Request(input, options);
    request.headers.set('Tapedeck-Session', session);
    return fetch(request);
  };
}
