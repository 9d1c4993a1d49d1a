import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { pages } from '../scripts/document.ts';

describe('generated documentation', () => {
  for (const [path, text] of Object.entries(pages())) {
    it(`${path} says what the code says (npm run document)`, () => {
      assert.equal(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'), text);
    });
  }
});

describe('written documentation', () => {
  const folder = new URL('../docs/', import.meta.url);
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.md'))) {
    const text = readFileSync(new URL(name, folder), 'utf8');
    it(`docs/${name} names only tests that exist`, () => {
      for (const [path] of text.matchAll(/\btest\/[\w./-]*\w/g)) {
        assert.ok(existsSync(new URL(`../${path}`, import.meta.url)), path);
      }
    });

    it(`docs/${name} leads only to pages that exist`, () => {
      for (const [, target = ''] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
        assert.ok(existsSync(new URL(target, folder)), target);
      }
    });
  }
});
