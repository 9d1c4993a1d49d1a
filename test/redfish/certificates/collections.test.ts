import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  collectionsOf,
  findCertificate,
  findCollection,
} from '../../../src/redfish/certificates/collections.ts';

import { endpoints } from '../service.ts';

const collections = collectionsOf('bmc', endpoints);
const ldap = '/redfish/v1/AccountService/LDAP/Certificates';

describe('a reference to a certificate', () => {
  for (const reference of [`${ldap}/1`, `${ldap}/1/`, `${ldap}/1?only`, `${ldap}/1#/Subject`]) {
    it(`is understood as ${reference}`, () => {
      const found = findCertificate(collections, reference);
      assert.equal(found?.collection.endpoint.name, 'ldap');
      assert.equal(found?.id, '1');
    });
  }

  const foreign = [
    '',
    '1',
    'http://elsewhere/x',
    '//elsewhere/x',
    `//elsewhere${ldap}/1`,
    '/redfish/v1',
    `${ldap}/1/2`,
    '%',
  ];
  for (const reference of foreign) {
    it(`is refused as ${JSON.stringify(reference)}`, () => {
      assert.equal(findCertificate(collections, reference), undefined);
    });
  }
});

describe('a reference to a collection', () => {
  it('is understood with and without a slash at its end', () => {
    for (const reference of [ldap, `${ldap}/`]) {
      assert.equal(findCollection(collections, reference)?.endpoint.name, 'ldap');
    }
  });

  it('is refused when it only begins like one', () => {
    assert.equal(findCollection(collections, `${ldap}X`), undefined);
  });
});

describe('the places', () => {
  it('have distinct URIs and one canonical place for each endpoint', () => {
    assert.equal(new Set(collections.map(({ uri }) => uri)).size, collections.length);
    const canonical = collections
      .filter((collection) => collection.canonical)
      .map(({ endpoint }) => endpoint.name);
    assert.equal(new Set(canonical).size, canonical.length);
  });
});
