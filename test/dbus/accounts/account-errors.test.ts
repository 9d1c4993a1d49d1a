import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fromBusError } from '../../../src/dbus/accounts/account-errors.ts';
import { fromErrorReply } from '../../../src/dbus/server/error-names.ts';

/** A service whose answers are late may have more of them outstanding than the bus lets wait. */
it('accounts are unavailable for now, not broken, where the bus takes no further call', () => {
  const name = 'org.freedesktop.DBus.Error.LimitsExceeded';
  const error = fromBusError(fromErrorReply({ name, text: 'too many pending replies' }), 'bob');
  assert.equal(error.code, 'unavailable');
});
