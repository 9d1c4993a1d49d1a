import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resourceEvent } from '../../../src/redfish/events/event-record.ts';
import { parseStreamFilter } from '../../../src/redfish/events/stream-filter.ts';
import { RedfishError } from '../../../src/redfish/messages/redfish-error.ts';

const limits = { filterCharacters: 100, filterDepth: 3 };

const event = {
  ...resourceEvent('ResourceChanged', [], {
    origin: '/redfish/v1/Managers/bmc/Truststore/Certificates/1',
    resourceType: 'Certificate',
  }),
  id: 1,
  published: 0,
};

describe('the filter of an event stream', () => {
  const verdicts: readonly (readonly [string, boolean])[] = [
    ["RegistryPrefix eq 'ResourceEvent'", true],
    ["RegistryPrefix eq 'ResourceEvent.1.0'", true],
    ["RegistryPrefix eq 'Base'", false],
    ['ResourceType eq Certificate', true],
    ["MessageId eq 'ResourceEvent.1.3.0.ResourceChanged'", true],
    ["MessageId eq 'ResourceEvent.1.3.ResourceChanged'", true],
    ["MessageId eq 'ResourceEvent.ResourceChanged'", true],
    ["MessageId eq 'ResourceEvent.2.0.ResourceChanged'", true],
    ["MessageId eq 'ResourceEvent.x.ResourceChanged'", false],
    ["MessageId eq 'ResourceEvent.1.3.ResourceRemoved'", false],
    ["MessageId eq 'Resource.1.3.ResourceChanged'", false],
    ["MessageId eq 'ResourceChanged'", false],
    ["EventFormatType eq 'Event'", true],
    ['EventFormatType eq MetricReport', false],
    ["OriginResource eq '/redfish/v1/Managers/bmc/Truststore/Certificates/1/'", true],
    ['OriginResource eq /redfish/v1/Managers/bmc/Truststore/Certificates/1', true],
    ["OriginResource eq '/redfish/v1/Managers/bmc'", false],
    ["OriginResource eq '/redfish/v1/Managers/bmc' and SubordinateResources eq true", true],
    ["OriginResource eq '/redfish/v1/Managers/bm' and SubordinateResources eq true", false],
    ["OriginResource eq '/redfish/v1/Managers/bmc' and SubordinateResources eq false", false],
    // and binds closer than or
    ['ResourceType eq Certificate or ResourceType eq X and ResourceType eq Y', true],
    ['(ResourceType eq Certificate or ResourceType eq X) and ResourceType eq Y', false],
    ["ResourceType eq 'it''s'", false],
  ];
  for (const [text, verdict] of verdicts) {
    it(`${verdict ? 'lets pass' : 'holds back'} with ${text}`, () => {
      assert.equal(parseStreamFilter(text, limits)(event), verdict);
    });
  }

  const faults = [
    '',
    'ResourceType',
    'ResourceType ne X',
    'ResourceType eq',
    'ResourceType eq (X)',
    "ResourceType eq 'X",
    '(ResourceType eq X',
    'ResourceType eq X)',
    'ResourceType eq X ResourceType eq Y',
    'not ResourceType eq X',
    'not (ResourceType eq X)',
    "'Certificate' eq ResourceType",
    'EventType eq Alert',
    'SubordinateResources eq perhaps',
    `${'('.repeat(4)}ResourceType eq X${')'.repeat(4)}`,
    `ResourceType eq '${'x'.repeat(83)}'`,
  ];
  it('may be as long and as deep as the limits', () => {
    parseStreamFilter(`${'('.repeat(3)}ResourceType eq X${')'.repeat(3)}`, limits);
    parseStreamFilter(`ResourceType eq '${'x'.repeat(82)}'`, limits);
  });

  for (const text of faults) {
    it(`refuses ${text.slice(0, 60) || 'an empty filter'}`, () => {
      assert.throws(() => parseStreamFilter(text, limits), RedfishError);
    });
  }
});
