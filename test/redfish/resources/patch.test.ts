import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startService, type TestService } from '../service.ts';

const root = '/redfish/v1';

/** What clients may change of each resource. */
const writable: Readonly<Record<string, readonly string[]>> = {
  EventService: ['ServiceEnabled', 'DeliveryRetryAttempts', 'DeliveryRetryIntervalSeconds'],
  SessionService: ['SessionTimeout'],
  AccountService: [
    'HTTPBasicAuth',
    'Oem',
    'MinPasswordLength',
    'MaxPasswordLength',
    'AccountLockoutThreshold',
    'AccountLockoutDuration',
    'AccountLockoutCounterResetAfter',
    'AccountLockoutCounterResetEnabled',
    'MultiFactorAuth',
  ],
  'AccountService/Accounts/reader': [
    'Password',
    'RoleId',
    'Enabled',
    'Locked',
    'PasswordChangeRequired',
    'AccountTypes',
    'StrictAccountTypes',
  ],
  'EventService/Subscriptions/:id': [
    'Context',
    'DeliveryRetryPolicy',
    'HttpHeaders',
    'VerifyCertificate',
  ],
};

describe('PATCH', () => {
  let service: TestService;
  let subscription: string;

  before(async () => {
    service = await startService();
    const body = { Destination: 'https://192.0.2.1/', Protocol: 'Redfish' };
    const created = await service.ask('POST', `${root}/EventService/Subscriptions`, { body });
    subscription = String(created.headers.location);
  });
  after(() => service.close());

  const at = (path: string) => (path.includes(':id') ? subscription : `${root}/${path}`);
  const patch = async (path: string, body: object) => {
    const { status, text } = await service.ask('PATCH', at(path), { body });
    const answer = JSON.parse(text);
    const messages: { MessageId: string; MessageArgs: string[]; RelatedProperties?: string[] }[] =
      answer.error?.['@Message.ExtendedInfo'] ?? [];
    const told = messages.map(({ MessageId, MessageArgs, RelatedProperties = [] }) => {
      return [MessageId.split('.').at(-1), MessageArgs[0], ...RelatedProperties];
    });
    return { status, told, answer };
  };
  const told = (id: string, name: string) => [id, name, `#/${name}`];

  for (const [path, names] of Object.entries(writable)) {
    it(`of ${path} tells what is read-only from what is unknown`, async () => {
      const shown: Record<string, unknown> = JSON.parse((await service.ask('GET', at(path))).text);
      const readOnly = Object.keys(shown).filter(
        // The name of an account may be given as it is
        (name) => !name.includes('@odata.') && !names.includes(name) && name !== 'UserName',
      );
      assert.ok(readOnly.includes('Name') && readOnly.length > 3);
      for (const name of [...readOnly, 'Bogus']) {
        const { status, told: messages } = await patch(path, { [name]: shown[name] ?? 1 });
        const id = name === 'Bogus' ? 'PropertyUnknown' : 'PropertyNotWritable';
        assert.deepEqual({ status, messages }, { status: 400, messages: [told(id, name)] });
      }
    });

    it(`of ${path} names all that cannot be changed, and changes nothing`, async () => {
      const before = (await service.ask('GET', at(path))).text;
      const [name = ''] = names;
      const good = { Password: 'an0therPassw0rd', Context: 'other', ServiceEnabled: false };
      const value = Object.entries(good).find(([one]) => one === name)?.[1] ?? 'Disabled';
      const { status, told: messages } = await patch(path, { Name: 'x', Bogus: 1, [name]: value });
      assert.equal(status, 400);
      const ids = messages.map(([id, about]) => `${id} ${about}`);
      assert.ok(ids.includes('PropertyNotWritable Name'), ids.join());
      assert.ok(ids.includes('PropertyUnknown Bogus'), ids.join());
      assert.equal((await service.ask('GET', at(path))).text, before);
    });

    it(`of ${path} passes over annotations, and says when nothing is left`, async () => {
      const annotations = { '@odata.id': at(path), 'Members@odata.count': 1 };
      const { status, answer } = await patch(path, annotations);
      assert.equal(status, 400);
      assert.match(answer.error.code, /\.NoOperation$/);
    });
  }

  it('takes the name of an account as it is', async () => {
    const path = 'AccountService/Accounts/reader';
    const kept = await patch(path, { UserName: 'reader', Enabled: true });
    assert.equal(kept.status, 200, JSON.stringify(kept.answer));
  });
});
