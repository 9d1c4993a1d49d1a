import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeProgram } from '../../../src/bin/bmc-certs.ts';
import { commandsOf } from '../../../src/operator/framework/command.ts';
import { completionScript } from '../../../src/operator/framework/completion.ts';
import { manPage } from '../../../src/operator/framework/man-page.ts';
import { findRequest, readValues } from '../../../src/operator/framework/parse.ts';
import { referencePage } from '../../../src/operator/framework/reference-page.ts';
import { scratchDirectory } from '../../storage/scratch.ts';

const program = makeProgram();
const directory = scratchDirectory();

/** What a program says of a text; it must say nothing when there is nothing wrong. */
const complaints = (text: string, command: string, ...args: readonly string[]) => {
  const file = join(directory(), 'text');
  writeFileSync(file, text);
  const { status, stdout, stderr } = spawnSync(command, [...args, file], { encoding: 'utf8' });
  return { status, said: `${command === 'groff' ? '' : stdout}${stderr}` };
};
const clean = { status: 0, said: '' };

describe('the manual page of bmc-certs', () => {
  const page = manPage(program, '2026-11-29');

  it('is one for mandoc, without a warning', () => {
    assert.deepEqual(complaints(page, 'mandoc', '-T', 'lint'), clean);
  });

  it('is one for groff, without a warning', () => {
    assert.deepEqual(complaints(page, 'groff', '-ww', '-man', '-Tutf8'), clean);
  });
});

describe('completion of bmc-certs', () => {
  const script = completionScript(program, 'bash');

  it('is a script without a warning of shellcheck, for bash and for zsh', () => {
    assert.deepEqual(complaints(script, 'shellcheck', '-s', 'bash'), clean);
    assert.deepEqual(complaints(completionScript(program, 'zsh'), 'zsh', '-n'), clean);
  });

  const rows: readonly (readonly [words: string, offers: readonly string[]])[] = [
    ['bmc-certs sta', ['status', 'stage']],
    ['bmc-certs trust ', ['add', 'list', 'remove', 'replace']],
    ['bmc-certs csr server/https --al', ['--algorithm']],
    ['bmc-certs csr server/https --curve P-', ['P-256', 'P-384', 'P-521']],
    ['bmc-certs --bus x comp', ['completion']],
    ['bmc-certs completion ', ['bash', 'zsh']],
    ['bmc-certs show server/', ['server/https/1']],
    ['bmc-certs show ', ['authority/truststore/3', 'server/https/1']],
    ['bmc-certs trust remove ', ['authority/truststore/3']],
    ['bmc-certs trust add ca.pem --endpoint ', ['authority/truststore']],
    ['bmc-certs discard server/https ', ['3f9a']],
    ['bmc-certs endpoint remove ', ['server/gnoi-1']],
    ['bmc-certs bind gnoi ', ['server/gnoi-1']],
    ['bmc-certs enrol now ', ['bmc']],
    ['bmc-certs enrol ca ', ['lab']],
    ['bmc-certs user role ', ['alice']],
    ['bmc-certs --bus unix:path=/run/other status ', ['server/other']],
    ['bmc-certs --url https://bmc --user root status ', ['server/far']],
    ['bmc-certs status ', ['authority/truststore', 'client/ldap', 'server/https']],
  ];
  const bash = `
bmc-certs() {
  case "$*" in
  'list --quiet') printf '%s\\n' authority/truststore/3 client/ldap server/https/1 ;;
  'requests --quiet') echo 3f9a ;;
  'endpoint list --quiet') echo server/gnoi-1 ;;
  'enrol status --quiet') echo bmc ;;
  'enrol ca --quiet') echo lab ;;
  'user list --quiet') echo alice ;;
  '--bus unix:path=/run/other list --quiet') echo server/other/1 ;;
  '--url https://bmc --user root list --quiet') echo server/far/1 ;;
  esac
}
source "$1"
# As bash splits
IFS=' ' read -ra COMP_WORDS <<< "$(sed -E 's/[:=]+/ & /g' <<< "$2")"
case "$2" in *' ') COMP_WORDS+=("") ;; esac
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_bmc_certs
printf '%s\\n' "\${COMPREPLY[@]}"
`;
  for (const [words, offers] of rows) {
    it(`offers ${offers.join(', ')} for "${words}"`, () => {
      const file = join(directory(), 'completion');
      writeFileSync(file, script);
      const { stdout, stderr } = spawnSync('bash', ['-c', bash, 'bash', file, words], {
        encoding: 'utf8',
      });
      assert.deepEqual(stdout.trim().split('\n').sort(), [...offers].sort(), stderr);
    });
  }
});

describe('the reference of bmc-certs', () => {
  const page = referencePage(program);

  for (const { name, examples } of commandsOf(program)) {
    it(`has ${name}, with an example whose command line is valid`, () => {
      assert.ok(page.includes(`### ${name}\n`), page.slice(0, 200));
      assert.ok(examples.length > 0);
      for (const { command } of examples) {
        const [line = ''] = command.split(/ [|>] /);
        const words = line.split(' ').map((word) => word.replace(/^"(.*)"$/, '$1'));
        const request = findRequest(program, words);
        assert.equal(request.kind, 'run');
        if (request.kind === 'run') readValues(program, request.command, request.words);
      }
    });
  }
});
