import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NewUser } from '../../../src/identity/accounts/user-directory.ts';
import { makeAccess } from '../../../src/redfish/access.ts';
import { makeBody } from '../../../src/redfish/http/request-body.ts';
import type { RequestContext } from '../../../src/redfish/resource.ts';
import { accounts } from '../../../src/redfish/resources/accounts.ts';

it('accounts of one name begin one after the other, also at the resources of another configuration', async () => {
  let atWork = 0;
  const seen: number[] = [];
  const create = async (user: NewUser) => {
    atWork += 1;
    await sleep(20);
    seen.push(atWork);
    atWork -= 1;
    return { ...user, locked: false, accountTypes: [] };
  };
  const users = { find: async () => undefined, changes: { create } };
  const access = makeAccess({ users, renames: { settle: async () => undefined } } as never, {
    sessions: 1,
    sessionsPerUser: 1,
  });
  const events = { rights: { clear: async () => undefined } };
  const begin = () => {
    const [resource] = accounts({ access, events } as never);
    const members = { UserName: 'bob', Password: 'Some-Secret-1', RoleId: 'Operator' };
    const body = makeBody(Buffer.from(JSON.stringify(members)));
    const context = { body, stillMay: async () => undefined } as RequestContext;
    return resource?.operations.POST?.handle(context);
  };
  await Promise.all([begin(), begin()]);
  assert.deepEqual(seen, [1, 1]);
});
