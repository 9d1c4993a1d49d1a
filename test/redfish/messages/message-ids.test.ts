import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { EventDestinationCreate } from '../../../schemas/generated/validators.js';
import { isWanted } from '../../../src/redfish/events/event-criteria.ts';
import { bufferExceeded, resourceEvent } from '../../../src/redfish/events/event-record.ts';
import { servedMessageId } from '../../../src/redfish/messages/registries.ts';
import { subscriptionMembers } from '../events/subscription-members.ts';
import { startService, type TestService } from '../service.ts';

const registries = '/redfish/v1/Registries';

/** What OpenBMC's web UI shows of a refused change of its user page. */
function shownByWebUi(text: string): readonly string[] {
  const values: unknown[] = Object.values(JSON.parse(text).error);
  const joined = values.reduce((all, one) => (all as unknown[]).concat(one)) as {
    Message: string;
  }[];
  return joined.filter((info) => info.Message).map((info) => info.Message);
}

describe('messages', () => {
  let service: TestService;
  before(async () => {
    service = await startService();
  });
  after(() => service.close());

  const read = async (path: string) => JSON.parse((await service.ask('GET', path)).text);

  it('of a refusal are where the web UI looks for them', async () => {
    const body = { UserName: 'user', Password: 'short', RoleId: 'ReadOnly' };
    const refused = await service.ask('POST', '/redfish/v1/AccountService/Accounts', { body });
    assert.equal(refused.status, 400);
    assert.match(shownByWebUi(refused.text).join(' '), /Password/);
  });

  it('have MessageIds that begin with the name of a served registry', async () => {
    const { Members } = await read(registries);
    const names: string[] = [];
    for (const { '@odata.id': uri } of Members) {
      const file = await read(uri);
      names.push(file.Registry);
      const registry = await read(file.Location[0].Uri);
      assert.match(registry.RegistryVersion, /^\d+\.\d+\.\d+$/);
      const [major, minor] = registry.RegistryVersion.split('.');
      assert.equal(file.Registry, `${registry.RegistryPrefix}.${major}.${minor}`);
      const { PublicationUri = `/${registry.Id}.json` } = file.Location[0];
      assert.equal(PublicationUri.split('/').at(-1), `${registry.Id}.json`);
    }
    const { error } = await read('/redfish/v1/none');
    const [info] = error['@Message.ExtendedInfo'];
    for (const id of [
      error.code,
      info.MessageId,
      resourceEvent('ResourceChanged', [], {}).messageId,
      bufferExceeded(1, 0).messageId,
    ]) {
      const [, name = ''] = /^(\w+\.\d+\.\d+)\.[A-Za-z]\w*$/.exec(id) ?? [];
      assert.ok(names.includes(name), `${id}, ${names}`);
    }
  });

  const given: readonly (readonly [string, string | undefined])[] = [
    ['ResourceEvent.1.3.ResourceChanged', 'ResourceEvent.1.3.ResourceChanged'],
    ['ResourceEvent.1.3.0.ResourceChanged', 'ResourceEvent.1.3.ResourceChanged'],
    ['ResourceEvent.1.3.9.ResourceChanged', 'ResourceEvent.1.3.ResourceChanged'],
    ['ResourceEvent.ResourceChanged', 'ResourceEvent.1.3.ResourceChanged'],
    ['ResourceEvent.1.ResourceChanged', 'ResourceEvent.1.3.ResourceChanged'],
    ['ResourceEvent.1.0.ResourceChanged', 'ResourceEvent.1.0.ResourceChanged'],
    ['ResourceEvent.1.4.ResourceChanged', undefined],
    ['ResourceEvent.2.0.ResourceChanged', undefined],
    ['ResourceEvent.1.3.0.0.ResourceChanged', undefined],
    ['ResourceEvent.1.3.Nothing', undefined],
    ['ResourceEvent.1.3.toString', undefined],
    ['Other.1.3.ResourceChanged', undefined],
    ['ResourceChanged', undefined],
    ['', undefined],
  ];
  for (const [text, id] of given) {
    it(`are told as ${id ?? 'none'} where a client says ${text || 'nothing'}`, () => {
      assert.equal(servedMessageId(text), id);
    });
  }

  it('are published in the form of DSP0266 whatever form a test event gives', async () => {
    const told: string[] = [];
    const publish = service.events.publish.bind(service.events);
    service.events.publish = (draft) => {
      told.push(draft.messageId);
      publish(draft);
    };
    const path = '/redfish/v1/EventService/Actions/EventService.SubmitTestEvent';
    const body = { MessageId: 'ResourceEvent.1.3.0.ResourceChanged' };
    assert.equal((await service.ask('POST', path, { body })).status, 204);
    assert.deepEqual(told, ['ResourceEvent.1.3.ResourceChanged']);
  });

  const event = { id: 1, ...resourceEvent('ResourceCreated', [], {}) };
  const subscriptions: readonly (readonly [string, Partial<EventDestinationCreate>, boolean])[] = [
    ['its id', { MessageIds: ['ResourceEvent.1.3.ResourceCreated'] }, true],
    ['its id as stored before', { MessageIds: ['ResourceEvent.1.3.0.ResourceCreated'] }, true],
    ['its id in another version', { MessageIds: ['ResourceEvent.2.7.ResourceCreated'] }, true],
    ['its id without a version', { MessageIds: ['ResourceEvent.ResourceCreated'] }, true],
    ['another id', { MessageIds: ['ResourceEvent.1.3.ResourceRemoved'] }, false],
    ['anything but its id', { ExcludeMessageIds: ['ResourceEvent.1.3.0.ResourceCreated'] }, false],
    ['its registry', { RegistryPrefixes: ['ResourceEvent'] }, true],
    ['another registry', { RegistryPrefixes: ['Base'] }, false],
    [
      'its registry, or else another id',
      { RegistryPrefixes: ['ResourceEvent'], MessageIds: ['Base.1.19.Success'] },
      true,
    ],
    [
      'another registry, or else its id',
      { RegistryPrefixes: ['Base'], MessageIds: ['ResourceEvent.1.3.ResourceCreated'] },
      true,
    ],
    [
      'another registry, or else another id',
      { RegistryPrefixes: ['Base'], MessageIds: ['ResourceEvent.1.3.ResourceRemoved'] },
      false,
    ],
    ['no event of its registry', { ExcludeRegistryPrefixes: ['ResourceEvent.1.3.0'] }, false],
  ];
  for (const [what, criteria, wanted] of subscriptions) {
    it(`${wanted ? 'reach' : 'do not reach'} who subscribed to ${what}`, () => {
      assert.equal(isWanted(subscriptionMembers(criteria), event), wanted);
    });
  }
});
