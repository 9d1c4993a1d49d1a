import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pages } from '../scripts/document.ts';
import { walkThrough } from '../scripts/record.ts';
import { toAsciicast, toSvg } from '../scripts/terminal-session.ts';
import { howToPages } from './how-to/pages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

describe('generated documentation', () => {
  for (const [path, text] of Object.entries(pages())) {
    it(`${path} says what the code says`, () => {
      if (read(path) === text) return;
      assert.fail(`${path} differs from what the code says; npm run document writes it anew`);
    });
  }
});

const written = readdirSync(join(root, 'docs'), { recursive: true })
  .map((name) => `docs/${name}`)
  .filter((name) => name.endsWith('.md'));

describe('written documentation', () => {
  for (const path of ['README.md', 'CHANGELOG.md', ...written]) {
    const text = read(path);

    it(`${path} names only tests that exist`, () => {
      for (const [named] of text.matchAll(/\btest\/[\w./-]*\w/g)) {
        assert.ok(existsSync(join(root, named)), named);
      }
    });

    it(`${path} leads only to pages and headings that exist`, () => {
      for (const [, target = '', anchor] of text.matchAll(/\]\(([^):#]*)(?:#([^)]*))?\)/g)) {
        const page = target === '' ? path : relative(root, join(root, dirname(path), target));
        assert.ok(existsSync(join(root, page)), target);
        if (anchor !== undefined) assert.ok(anchorsOf(read(page)).has(anchor), `${page}#${anchor}`);
      }
    });

    it(`${path} names the person, the program or the thing`, () => {
      const vague = /\b(nobody|somebody|everybody|anybody|whoever|whom|he|his|him)\b.*/i.exec(
        text.replace(/`[^`\n]*`/g, ''),
      );
      assert.equal(vague?.[0], undefined);
    });

    it(`${path} has only JSON in its blocks of JSON`, () => {
      for (const [, json = ''] of text.matchAll(/^```json\n([\s\S]*?)^```$/gm)) JSON.parse(json);
    });
  }
});

/** The fragments that GitHub gives to the headings of a page. */
function anchorsOf(page: string): Set<string> {
  const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

describe('the tables of log lines', () => {
  const tables = /^## What to watch\n[\s\S]*?(?=^## )/m.exec(read('docs/operations.md'))?.[0] ?? '';
  const listed = [...tables.matchAll(/^\| (`.*?`) \| /gm)].flatMap(([, lines = '']) =>
    lines.slice(1, -1).split('`, `'),
  );
  const sources = readdirSync(join(root, 'src'), { recursive: true })
    .filter((name) => String(name).endsWith('.ts'))
    .map((name) => read(`src/${name}`))
    .join('\n');

  it('have every warning and error of the programs', () => {
    const written = [...sources.matchAll(/log\??\.(?:warn|error)\(\s*'([^']+)'/gi)];
    const missing = written.map(([, line = '']) => line).filter((line) => !listed.includes(line));
    assert.deepEqual(missing, []);
  });

  for (const line of listed) {
    it(`have no line that no program writes: ${line}`, () => {
      // One message names what is served
      assert.ok(sources.includes(line.replace(/ is served$/, '')));
    });
  }
});

describe('the pages by task', () => {
  it('are all run by test/how-to/', () => {
    const there = readdirSync(join(root, 'docs', 'how-to')).sort();
    // test/device/installation.ts runs install.md, readme.test.ts walk-through.md, a test of its own the page of each edge; README.md comes before each of the others
    const edges = ['cmp', 'gnoi', 'netconf', 'trust-bundle'];
    const run = [
      'README',
      'install',
      'walk-through',
      ...edges,
      ...howToPages.map(({ name }) => name),
    ];
    assert.deepEqual(there, run.map((name) => `${name}.md`).sort());
  });

  it('are all in the list of docs/how-to/README.md', () => {
    for (const { name } of howToPages) {
      assert.ok(read('docs/how-to/README.md').includes(`(${name}.md)`), name);
    }
  });
});

describe('the recorded session', () => {
  const [, ...events] = read('docs/walk-through.cast').trimEnd().split('\n');
  const texts = events.map((line): string => JSON.parse(line)[2].replaceAll('\r', ''));
  const commands = texts.filter((text) => text.startsWith('$ ')).map((text) => text.slice(2));

  it('has the commands of docs/how-to/walk-through.md (npm run record)', () => {
    assert.deepEqual(
      commands,
      walkThrough().map(({ text }) => text),
    );
  });

  it('is the same for asciinema and as a picture', () => {
    const starts = texts.flatMap((text, at) => (text.startsWith('$ ') ? [at] : []));
    const steps = starts.map((start, at) => ({
      commands: texts[start]?.slice(2) ?? '',
      output: texts.slice(start + 1, starts[at + 1]).join(''),
    }));
    assert.equal(read('docs/walk-through.cast'), toAsciicast(steps));
    assert.equal(read('docs/walk-through.svg'), toSvg(steps));
  });
});

describe('the headlines of reliability', () => {
  const row = /^\| (?!area)([a-z][a-z-]*) \| (.*) \| (.*) \|$/gm;
  const headlines = [...read('docs/reliability.md').matchAll(row)];
  const figures = read('docs/reliability-figures.md');

  it('are ten', () => assert.equal(headlines.length, 10));

  for (const [, area = '', what, figure] of headlines) {
    it(`have what the last run of ${area} says of ${what}`, () => {
      const table = figures.split(`<!-- figures of ${area} -->`)[1]?.split('<!-- end of')[0];
      assert.ok(table?.includes(`\n| ${what} | ${figure} |\n`));
    });
  }
});

describe('a decision', () => {
  const folder = 'docs/decisions';
  for (const name of readdirSync(join(root, folder))) {
    const overruled = /^Overrules [\s\S]*?\n\n/m.exec(read(`${folder}/${name}`))?.[0] ?? '';
    for (const [, older = ''] of overruled.matchAll(/\]\(([^)]*)\)/g)) {
      it(`${older} says that ${name} overrules it`, () => {
        assert.match(
          read(`${folder}/${older}`),
          new RegExp(`verruled by[\\s>]+\\[[^\\]]*\\]\\(${name}\\)`),
        );
      });
    }
  }
});
