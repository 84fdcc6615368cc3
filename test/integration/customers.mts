// What tests of the action have in common: customers, and the parameters that put them on a canvas.
import { DEMO_CANVAS } from '../sandbox/server.mts';
import { canvasLocator, FROM_ITEM } from '../support/workflows.mts';

export { canvasLocator as canvas };

/** The action's parameters: each customer is put on the demo canvas. */
export const DEFINED = { canvas: canvasLocator(DEMO_CANVAS.triggerId), ...FROM_ITEM };

export const CONTINUE = { onError: 'continueRegularOutput' } as const;
export const RETRY_ON_FAIL = { retryOnFail: true, maxTries: 3, waitBetweenTries: 1 };

/** One item for each contact ID. */
export const people = (...ids: string[]) => ids.map((id) => ({ json: { id, name: `N ${id}` } }));

/** Customers with the contact IDs from 0 on. */
export const crowd = (count: number) => people(...Array.from({ length: count }, (_, i) => `${i}`));
