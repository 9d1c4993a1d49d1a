import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkAnswer, faultsOf } from './answers.ts';
import { jsonSchemaFolder, skipWithout } from './folder.ts';

const role = {
  '@odata.id': '/redfish/v1/AccountService/Roles/ReadOnly',
  '@odata.type': '#Role.v1_3_3.Role',
  Id: 'ReadOnly',
  Name: 'User Role',
  RoleId: 'ReadOnly',
  AssignedPrivileges: ['Login', 'ConfigureSelf'],
};

function answerOf(body: object, over: object = {}) {
  const contentType = 'application/json; charset=utf-8';
  const answer = { method: 'GET', path: '/redfish/v1/AccountService/Roles/ReadOnly', status: 200 };
  return { ...answer, contentType, text: JSON.stringify(body), ...over };
}

const message = {
  MessageId: 'Base.1.19.Success',
  Message: 'The request completed successfully.',
  MessageSeverity: 'OK',
};

const monitor = '/redfish/v1/TaskService/TaskMonitors/1';
const generate = '/redfish/v1/CertificateService/Actions/CertificateService.GenerateCSR';
const collection = {
  '@odata.id': '/redfish/v1/AccountService/Roles',
  '@odata.type': '#RoleCollection.RoleCollection',
  Name: 'Roles',
  'Members@odata.count': 1,
};

describe('the check of answers against the DMTF schemas', {
  skip: skipWithout(jsonSchemaFolder),
}, () => {
  const good = [
    ['a resource', answerOf(role)],
    ['an ETag in a resource', answerOf({ ...role, '@odata.etag': '"1"' })],
    ['a collection of links', answerOf({ ...collection, Members: [{ '@odata.id': '/a' }] })],
    ['a collection with expanded members', answerOf({ ...collection, Members: [role] })],
    [
      'an error',
      answerOf(
        { error: { '@Message.ExtendedInfo': [message], code: message.MessageId, message: 'x' } },
        { status: 400 },
      ),
    ],
    ['a bare message', answerOf({ '@Message.ExtendedInfo': [message] })],
    [
      'a certificate request',
      answerOf(
        { CSRString: 'x', CertificateCollection: { '@odata.id': '/c' } },
        { method: 'POST', path: generate },
      ),
    ],
    [
      'a certificate request that a task made',
      answerOf({ CSRString: 'x', CertificateCollection: { '@odata.id': '/c' } }, { path: monitor }),
    ],
    [
      'a part of a resource that was selected',
      answerOf(
        { '@odata.id': '/r', '@odata.type': role['@odata.type'], Name: 'x' },
        { path: '/redfish/v1/r?$select=Name' },
      ),
    ],
  ] as const;
  for (const [what, answer] of good) {
    it(`lets ${what} pass`, () => assert.deepEqual(faultsOf(answer), []));
  }

  const bad = [
    [
      'a member the schema has not',
      answerOf({ ...role, Colour: 'red' }),
      /additional properties.*Colour/,
    ],
    [
      'a required member that is missing',
      answerOf({ ...role, Id: undefined }),
      /required property 'Id'/,
    ],
    [
      'a value of another type',
      answerOf({ ...role, IsPredefined: 'yes' }),
      /^\/IsPredefined must be boolean/m,
    ],
    [
      'a value outside of an enumeration',
      answerOf({ ...role, AssignedPrivileges: ['Fly'] }),
      /AssignedPrivileges\/0/,
    ],
    [
      'a version that does not exist',
      answerOf({ ...role, '@odata.type': '#Role.v9_0_0.Role' }),
      /no schema Role.v9_0_0/,
    ],
    ['an answer without type', answerOf({ Name: 'x' }), /Name stands in an answer without/],
    [
      'a fault in an expanded member',
      answerOf({ ...collection, Members: [{ ...role, Colour: 1 }] }),
      /^\/Members\/0\/ .*Colour/m,
    ],
    [
      'a link with more than an id',
      answerOf({ ...collection, Members: [{ '@odata.id': '/a', Name: 'x' }] }),
      /Members\/0/,
    ],
    [
      'an error without a code',
      answerOf({ error: { message: 'x' } }, { status: 400 }),
      /required property 'code'/,
    ],
    [
      'an error whose extended information is not its first member',
      answerOf(
        { error: { code: message.MessageId, message: 'x', '@Message.ExtendedInfo': [message] } },
        { status: 400 },
      ),
      /error begins with code/,
    ],
    [
      'a MessageId with an errata version',
      answerOf({ '@Message.ExtendedInfo': [{ ...message, MessageId: 'Base.1.19.0.Success' }] }),
      /ExtendedInfo\/0\/MessageId is no MessageId/,
    ],
    [
      'a message of another shape',
      answerOf({ '@Message.ExtendedInfo': [{ ...message, MessageSeverity: 'Bad' }] }),
      /MessageSeverity/,
    ],
    [
      'a certificate request under another name',
      answerOf({ CSR: 'x' }, { method: 'POST', path: generate }),
      /CSRString/,
    ],
  ] as const;
  for (const [what, answer, expected] of bad) {
    it(`finds ${what}`, () => {
      assert.match(faultsOf(answer).join('\n'), expected);
      assert.throws(() => checkAnswer(answer), expected);
    });
  }

  it('finds a date that is none in a certificate', () => {
    const faults = faultsOf(
      answerOf({
        '@odata.id': '/c',
        '@odata.type': '#Certificate.v1_11_0.Certificate',
        Id: '1',
        Name: 'x',
        ValidNotAfter: 'tomorrow',
      }),
    );
    assert.match(faults.join('\n'), /ValidNotAfter must match format "date-time"/);
  });
});
