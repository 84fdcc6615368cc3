// How the benchmarks summarize and write their figures.
export function median(values: number[]): number {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

export function ratio(value: number): string {
	return value.toFixed(3);
}

export function percent(share: number): string {
	return `${(share * 100).toFixed(1)} %`;
}
