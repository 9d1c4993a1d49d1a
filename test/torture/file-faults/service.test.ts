import { describe } from 'node:test';
import { whyNotFollowed } from '../file-operations/library.ts';
import { redfishScenes } from '../file-operations/redfish-scenes.ts';
import { sweep } from './sweep.ts';

describe('a change of the service that the file system fails', { skip: whyNotFollowed() }, () => {
  sweep('service', redfishScenes);
});
