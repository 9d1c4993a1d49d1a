import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fromBusError, toBusError } from '../../../src/dbus/accounts/account-errors.ts';
import { fromErrorReply, toErrorReply } from '../../../src/dbus/server/error-names.ts';
import { diskError } from '../../fakes/moody-disk.ts';

/** A service whose answers are late may have more of them outstanding than the bus lets wait. */
it('accounts are unavailable for now, not broken, where the bus takes no further call', () => {
  const name = 'org.freedesktop.DBus.Error.LimitsExceeded';
  const error = fromBusError(fromErrorReply({ name, text: 'too many pending replies' }), 'bob');
  assert.equal(error.code, 'unavailable');
});

it('a full disk of the account manager is told as such', () => {
  const reply = toErrorReply(toBusError(diskError('ENOSPC')));
  assert.equal(fromBusError(fromErrorReply(reply), 'bob').code, 'storage-full');
  assert.equal(toErrorReply(toBusError(diskError('EROFS'))).text.includes('internal'), true);
});
