import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from './explained.ts';

/** The file of a report folder, however deep, that has this ending. @throws when there is none */
export function readReport(folder: string, ending: string): string {
  const names = readdirSync(folder, { recursive: true }).map(String);
  const name = names.find((one) => one.endsWith(ending));
  if (name === undefined) throw new Error(`no ${ending} in the report: ${names.join(', ')}`);
  return readFileSync(join(folder, name), 'utf8');
}

/** The table of counts that the validators print last: passed, warnings, failed, not tested. */
export function readCounts(output: string) {
  const row = /\|\s+(\d+)\s+\|\s+(\d+)\s+\|\s+(\d+)\s+\|\s+(\d+)\s+\|/.exec(output);
  const [pass, warn, fail, notTested] = (row ?? []).slice(1).map(Number);
  return { pass, warn, fail, notTested };
}

/** Warnings and failures in the service validator's HTML report. */
export function propertyFindings(html: string): Finding[] {
  const rows = html.matchAll(/<tr><td>([^<]*)<\/td><td>((?:(?!<\/tr>).)*)<\/tr>/gs);
  return [...rows].flatMap(([, what = '', rest = '']) => {
    const says = /<div class="msg-(?:warn|fail)">(.*?)<\/div>/s.exec(rest)?.[1];
    if (says === undefined) return [];
    const result = rest.includes('res-fail') ? 'FAIL' : 'WARN';
    return [{ what, result, says: plain(says) }];
  });
}

/** What did not pass in the protocol validator's table of assertions. */
export function assertionFindings(tsv: string): Finding[] {
  const [, ...lines] = tsv.trimEnd().split('\n');
  return lines
    .map((line) => line.split('\t'))
    .map(([what = '', method = '', , uri = '', result = '', message = '']) => {
      return { what, result, says: [method, uri, message].filter((part) => part !== '').join(' ') };
    })
    .filter(({ result }) => result !== 'PASS');
}

/** What failed in the use-case checkers' HTML report, with the operation. */
export function operationFindings(html: string): Finding[] {
  const row =
    /<tr><td>([^<]*)<\/td><td><span class="badge badge-(?:fail|warn)">(\w+)<\/span><\/td><td>(.*?)<\/td>/gs;
  return [...html.matchAll(row)].map(([, what = '', result = '', says = '']) => {
    return { what: plain(what), result, says: plain(says) };
  });
}

function plain(html: string): string {
  const entities = [
    ['&#x27;', "'"],
    ['&quot;', '"'],
    ['&lt;', '<'],
    ['&gt;', '>'],
    ['&amp;', '&'],
  ] as const;
  return entities.reduce((text, [entity, character]) => text.replaceAll(entity, character), html);
}
