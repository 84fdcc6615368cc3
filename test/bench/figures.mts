// How the benchmarks summarize and write their figures.
export function median(values: number[]): number {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** With three digits, if it is not a count. */
export function inShort(value: number): string {
	return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}

export function ratio(value: number): string {
	return value.toFixed(3);
}

export function percent(share: number): string {
	return `${(share * 100).toFixed(1)} %`;
}
