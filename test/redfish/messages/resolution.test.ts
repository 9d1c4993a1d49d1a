import assert from 'node:assert/strict';
import { it } from 'node:test';
import { renderMessage } from '../../../src/redfish/messages/base-registry.ts';

it('a resolution has no "None." behind what exactly is wrong', () => {
  const resolution = (detail?: string) =>
    renderMessage({ id: 'OperationNotAllowed', args: [], ...(detail && { detail }) }).Resolution;
  assert.equal(resolution(), 'None.');
  assert.equal(resolution('the file is empty'), 'the file is empty.');
});
