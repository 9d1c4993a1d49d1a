import assert from 'node:assert/strict';
import { it } from 'node:test';
import { renderMessages } from '../../../src/redfish/messages/base-registry.ts';

it('a resolution has no "None." behind what exactly is wrong', () => {
  const resolution = (detail?: string) =>
    renderMessages([{ id: 'OperationNotAllowed', args: [], ...(detail && { detail }) }])[0]
      ?.Resolution;
  assert.equal(resolution(), 'None.');
  assert.equal(resolution('the file is empty'), 'the file is empty.');
});

it('what exactly is wrong is a message of its own, behind the one with the text of DMTF', () => {
  const related = ['#/CertificateString'];
  const message = { id: 'PropertyValueError' as const, args: ['CertificateString'], related };
  const said = renderMessages([
    { ...message, detail: 'no-certificate: it is an HTML page' },
    { id: 'EmptyJSON', args: [] },
  ]);
  assert.deepEqual(
    said.map(({ MessageId, Message }) => [MessageId.split('.').at(-1), Message]),
    [
      ['PropertyValueError', 'The value provided for the property CertificateString is not valid.'],
      ['Reason', 'no-certificate: it is an HTML page.'],
      [
        'EmptyJSON',
        'The request body submitted contained an empty JSON object and the service is unable to process it.',
      ],
    ],
  );
  assert.deepEqual(said[1]?.MessageArgs, ['no-certificate: it is an HTML page.']);
  assert.ok(said[1] && 'RelatedProperties' in said[1]);
});
