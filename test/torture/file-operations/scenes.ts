import { managerScenes } from './manager-scenes.ts';
import { redfishScenes } from './redfish-scenes.ts';
import type { Scene } from './scene.ts';

/** Every change of the device that is tortured. */
export const scenes: readonly Scene[] = [...managerScenes, ...redfishScenes];
