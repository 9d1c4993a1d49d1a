import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CertError, type CertErrorCode, certErrors } from '../../../src/core/cert-error.ts';
import {
  DBusProtocolError,
  fromErrorReply,
  toErrorReply,
} from '../../../src/dbus/server/error-names.ts';

const codes = Object.keys(certErrors) as CertErrorCode[];
const secret = '/etc/ssl/private/key.pem';

describe('an error reply', () => {
  for (const code of codes) {
    it(`for ${code} has a name that D-Bus allows, and comes back as the same error`, () => {
      const error = new CertError(code, 'it is: so, and\nmore so');
      const reply = toErrorReply(error);
      assert.match(reply.name, /^(xyz\.openbmc_project|org\.freedesktop\.DBus)(\.[A-Za-z]\w*)+$/);
      assert.ok(reply.text.startsWith(`${code}: `));
      const back = fromErrorReply(reply);
      assert.equal(back.code, code);
      assert.equal(back.message, error.message);
    });
  }

  /** Names that clients of upstream know (bmcweb and busctl scripts). */
  const upstream: readonly (readonly [CertErrorCode, string])[] = [
    ['file-unreadable', 'xyz.openbmc_project.Common.Error.InternalFailure'],
    ['key-missing', 'xyz.openbmc_project.Common.Error.InternalFailure'],
    ['storage', 'xyz.openbmc_project.Common.Error.InternalFailure'],
    ['storage-full', 'xyz.openbmc_project.Common.Error.InternalFailure'],
    ['request-failed', 'xyz.openbmc_project.Common.Error.InternalFailure'],
    ['internal', 'xyz.openbmc_project.Common.Error.InternalFailure'],
    ['pem-malformed', 'xyz.openbmc_project.Certs.Error.InvalidCertificate'],
    ['file-empty', 'xyz.openbmc_project.Certs.Error.InvalidCertificate'],
    ['key-mismatch', 'xyz.openbmc_project.Certs.Error.InvalidCertificate'],
    ['key-strength', 'xyz.openbmc_project.Certs.Error.InvalidCertificate'],
    ['expired', 'xyz.openbmc_project.Certs.Error.InvalidCertificate'],
    ['validity-start', 'xyz.openbmc_project.Certs.Error.InvalidCertificate'],
    ['already-installed', 'xyz.openbmc_project.Common.Error.NotAllowed'],
    ['limit-reached', 'xyz.openbmc_project.Common.Error.NotAllowed'],
    ['wrong-endpoint-type', 'xyz.openbmc_project.Common.Error.NotAllowed'],
    ['argument-invalid', 'xyz.openbmc_project.Common.Error.InvalidArgument'],
    ['not-found', 'org.freedesktop.DBus.Error.UnknownObject'],
    ['access-denied', 'org.freedesktop.DBus.Error.AccessDenied'],
  ];
  for (const [code, name] of upstream) {
    it(`for ${code} is named ${name}`, () => {
      assert.equal(toErrorReply(new CertError(code, '')).name, name);
    });
  }

  const bugs = [
    { what: 'an Error', error: new Error(`ENOENT: ${secret}`) },
    { what: 'a TypeError with a cause', error: new TypeError(secret, { cause: secret }) },
    { what: 'a string', error: secret },
    { what: 'nothing', error: undefined },
    { what: 'an object with a code', error: { code: 'not-found', message: secret } },
  ];
  for (const { what, error } of bugs) {
    it(`for ${what} that nobody expected says nothing of it`, () => {
      assert.deepEqual(toErrorReply(error), {
        name: 'xyz.openbmc_project.Common.Error.InternalFailure',
        text: 'internal: The operation failed internally.',
      });
    });
  }

  it('says nothing of the cause of a known error', () => {
    const reply = toErrorReply(new CertError('storage', 'not written', { cause: secret }));
    assert.deepEqual(reply.text, 'storage: not written');
  });

  it('for a protocol error has the name of the D-Bus Specification', () => {
    assert.deepEqual(toErrorReply(new DBusProtocolError('UnknownMethod', 'what?')), {
      name: 'org.freedesktop.DBus.Error.UnknownMethod',
      text: 'what?',
    });
  });
});

describe('an error from the bus', () => {
  const replies: readonly (readonly [string, string, CertErrorCode])[] = [
    ['org.freedesktop.DBus.Error.ServiceUnknown', 'The name is not activatable', 'unavailable'],
    ['org.freedesktop.DBus.Error.NameHasNoOwner', 'no owner', 'unavailable'],
    ['org.freedesktop.DBus.Error.Disconnected', '', 'unavailable'],
    ['org.freedesktop.DBus.Error.NoReply', 'Message recipient disconnected', 'no-answer'],
    ['org.freedesktop.DBus.Error.Timeout', '', 'no-answer'],
    ['org.freedesktop.DBus.Error.AccessDenied', 'Rejected send message', 'access-denied'],
    ['org.freedesktop.DBus.Error.UnknownObject', "Unknown object '/x'.", 'not-found'],
    ['org.freedesktop.DBus.Error.LimitsExceeded', 'too much', 'busy'],
    ['com.example.Whatever', 'strange', 'internal'],
    // Upstream's manager, whose texts are fixed
    [
      'xyz.openbmc_project.Certs.Error.InvalidCertificate',
      'Invalid certificate file.',
      'certificate-malformed',
    ],
    [
      'xyz.openbmc_project.Common.Error.NotAllowed',
      'The operation is not allowed',
      'already-installed',
    ],
    [
      'xyz.openbmc_project.Common.Error.InternalFailure',
      'The operation failed internally.',
      'internal',
    ],
    // A text that names a code does not count under another code's name
    ['com.example.Whatever', 'not-found: nothing there', 'internal'],
    ['xyz.openbmc_project.Common.Error.NotAllowed', 'constructor: x', 'already-installed'],
  ];
  for (const [name, text, code] of replies) {
    it(`named ${name} with the text "${text}" is ${code}`, () => {
      const error = fromErrorReply({ name, text });
      assert.equal(error.code, code);
      assert.equal(error.message, text);
    });
  }
});
