// The ways in which the local Sobot can misbehave on request, and the calls that are affected.

/** A span of milliseconds, drawn evenly at random. */
export interface Span {
	minMs: number;
	maxMs: number;
}

export interface Misbehaviour {
	on: 'token' | 'trigger';
	/** to how many calls; to all later calls if left out */
	times?: number;
	/** to which share of the calls, 0 to 1; to all if left out */
	share?: number;
	/** only to calls for this customer */
	contactId?: string;
	/** time on the way, before the call is counted */
	onTheWay?: Span;
	/** time at work, after the call was counted and carried out; a call that is refused takes none */
	atWork?: Span;
	/** answer with this code, without carrying the call out */
	code?: string;
	/** drop the connection before or after carrying the call out */
	drop?: 'before' | 'after';
	/** carry the call out, then answer with this instead of the JSON */
	answerWith?: { status: number; body: string; contentType?: string };
}

export class Misbehaviours {
	private list: Misbehaviour[] = [];

	/** whether any call can still go wrong */
	get isAny(): boolean {
		return this.list.some(({ times }) => times !== 0);
	}

	add(one: Misbehaviour): void {
		this.list.push({ ...one });
	}

	clear(): void {
		this.list = [];
	}

	/** All that apply to a call, drawn into one; each counts the call as one of its times. */
	take(on: Misbehaviour['on'], contactId?: string): Partial<Misbehaviour> {
		const taken: Partial<Misbehaviour> = {};
		for (const one of this.list) {
			if (one.on !== on || one.times === 0) continue;
			if (one.contactId !== undefined && one.contactId !== contactId) continue;
			if (one.share !== undefined && Math.random() >= one.share) continue;
			if (one.times !== undefined) one.times--;
			Object.assign(taken, one);
		}
		return taken;
	}
}

export function draw(span: Span): number {
	return span.minMs + Math.random() * (span.maxMs - span.minMs);
}
