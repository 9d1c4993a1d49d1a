import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { pages } from '../scripts/document.ts';

describe('generated documentation', () => {
  for (const [path, text] of Object.entries(pages())) {
    it(`${path} says what the code says (npm run document)`, () => {
      assert.equal(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'), text);
    });
  }
});
