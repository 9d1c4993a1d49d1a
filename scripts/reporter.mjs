// Node's reporter "spec". Before the summary it lists what was skipped: the summary names nothing, and counts no suites.
import { relative } from 'node:path';
import { Readable } from 'node:stream';
import { spec as Spec } from 'node:test/reporters';

/** @param events of node:test */
export default async function* report(events) {
  yield* Readable.from(withSkipped(events)).compose(new Spec());
}

async function* withSkipped(events) {
  const lines = [];
  for await (const event of events) {
    const { type, data } = event;
    if (type === 'test:pass' && data.skip !== undefined) lines.push(lineOf(data));
    if (isSummary(event)) {
      for (const message of lines.splice(0)) {
        yield { type: 'test:diagnostic', data: { nesting: 0, message } };
      }
    }
    yield event;
  }
}

function lineOf({ name, file, skip }) {
  const place = file ? `${relative(process.cwd(), file)}: ` : '';
  return `not run: ${place}${name} (${typeof skip === 'string' ? skip : 'no reason given'})`;
}

/** The summary begins with the number of tests. */
function isSummary({ type, data }) {
  return type === 'test:diagnostic' && data.nesting === 0 && /^tests \d+$/.test(data.message);
}
