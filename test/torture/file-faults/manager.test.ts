import { describe } from 'node:test';
import { whyNotFollowed } from '../file-operations/library.ts';
import { managerScenes } from '../file-operations/manager-scenes.ts';
import { sweep } from './sweep.ts';

describe('a change of the manager that the file system fails', { skip: whyNotFollowed() }, () => {
  sweep('manager', managerScenes);
});
