const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');

test('every country has a price', () => {
  const shipping = JSON.parse(fs.readFileSync(path.join(__dirname, '..', 'data', 'shipping.json'), 'utf8'));
  console.log('%d countries', Object.keys(shipping).length);
  assert.ok(Object.values(shipping).every((rate) => rate.price > 0));
});
