import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const management = 'gnoi/certificate-management.test.ts';
const stack = 'gnoi/stack.test.ts';
const python = 'validators/gnoi-python.test.ts';

/**
 * What a vendor's devices do, and we with them, by the numbers of our notes on the vendor's pages; where to find it as the
 * file below `test/` and a part of the title of the test.
 */
const behaviours: Readonly<Record<string, readonly (readonly [file: string, title: string])[]>> = {
  'J1 listens at 32767': [['gnoi/behaviours.test.ts', 'has the port of the vendor']],
  'J2 logs in by metadata': [['gnoi/logins.test.ts', 'is UNAUTHENTICATED, of one message or many']],
  'J3 starts without client certificates': [[stack, 'begins with a certificate of its own']],
  'J4 shows what it is bound to': [[management, 'before the service is bound to it']],
  'J5 shows the rotated certificate': [
    [management, 'shows new connections the certificate at once'],
  ],
  'J6 installs for a key of the device': [
    [management, 'puts a certificate for a key of the device'],
  ],
  'J7, J37 installs with a key of the client': [[management, 'of the client takes one step']],
  'J8 tells of an id that is there': [
    [management, 'of an id that is there fails at the CSR'],
    [python, 'is told of an id that is there when the certificate comes'],
  ],
  'J9 verifies by the bundle, sent or loaded, and by other CAs': [
    [management, 'is verified by a CA that came before, or that the device trusts otherwise'],
  ],
  'J10 changes nothing where no CA verifies': [[management, 'changes nothing']],
  'J11, J12 has one bundle, and replaces all of it': [
    [management, 'replace the bundle as a whole'],
  ],
  'J13, J15 brings mutual TLS with the bundle, after the answer': [
    [management, 'and brings mutual TLS with its bundle'],
    [
      'gnoi/client-authentication.test.ts',
      'ends connections of before when it changes, and not the answer',
    ],
  ],
  'J14 follows the configuration first': [
    [
      'gnoi/client-authentication.test.ts',
      'follows from the bundle, unless the configuration says it',
    ],
    [stack, 'before what the bundle implies'],
  ],
  'J16 refuses a first bundle of Rotate': [[management, 'cannot bring the first bundle']],
  'J17 keeps sessions where the mode stays': [[management, 'replace the bundle as a whole']],
  'J18 rotates what is there': [[management, 'of an id that is not there fails']],
  'J19 has both certificates in use': [
    [management, 'shows new connections the certificate at once'],
  ],
  'J20, J21 is undone by a client that goes': [
    [management, 'is undone, with its bundle, when the client'],
  ],
  'J22 is undone by a step that fails': [[management, 'is undone when the store cannot keep it']],
  'J23 keeps what is finalized over a restart': [
    [stack, 'keeps what is finalized, also over a restart'],
  ],
  'J24 is tried by any call': [[stack, 'keeps what is finalized, also over a restart']],
  'J25 takes a stream for each step': [
    [python, 'installs, and rotates after the service was bound'],
  ],
  'J26, J28, J29, J31 revokes each for itself': [
    [management, 'revoke what is there and what is not'],
  ],
  'J27 tells why one is not revoked': [
    [management, 'keeps others from the id, and from the bundle'],
  ],
  'J30 lets the session of a revoked certificate go on': [
    [management, 'revoke what is there and what is not'],
  ],
  'J32 tells its certificates': [[management, 'puts a certificate for a key of the device']],
  'J33 says which CSRs can be made': [[management, 'say whether a CSR can be made']],
  'J34, J35 has the steps as calls of one message': [
    [management, 'load a certificate for the key of a CSR'],
  ],
  'J36 asks with all parameters': [[management, 'asks with all parameters of a client']],
  'J37 rotates with a key of the client': [
    [management, 'with the key of the client is tried and kept'],
  ],
  'J38 rotates to another root': [[management, 'may bring a certificate of another root']],
  'J39 selects h2': [['gnoi/shown-certificate.test.ts', 'selects h2']],
  'J40 has a way back from mutual TLS': [[stack, 'when an operator clears the bundle']],
  'J41 tells the mode and its cause': [[stack, 'whom it lets in and why']],
  'J42 tells the members of the bundle': [[stack, 'whom it lets in and why']],
  'J43 warns of other names': [[management, 'warns that it has other names than its CSR']],
  'J44 finalizes in time': [[stack, 'keeps what is finalized, also over a restart']],
  'J45 answers when it shows the certificate': [
    ['gnoi/shown-certificate.test.ts', 'waits for a handshake'],
  ],
  'J46 gives a trial more time': [[stack, 'which the operator may give more time']],
};

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('a behaviour of the gNOI service', () => {
  for (const [behaviour, places] of Object.entries(behaviours)) {
    it(`is shown where the table says: ${behaviour}`, () => {
      for (const [file, title] of places) {
        const text = readFileSync(`${root}test/${file}`, 'utf8');
        const titles = text.split('\n').filter((line) => /^ *it\(/.test(line));
        assert.ok(
          titles.some((line) => line.includes(title)),
          `${file}: ${title}`,
        );
      }
    });
  }

  it('has the port of the vendor unless another is configured', () => {
    const schema = JSON.parse(readFileSync(`${root}schemas/configuration.json`, 'utf8'));
    assert.equal(schema.properties.gnoi.properties.port.default, 32_767);
  });
});
