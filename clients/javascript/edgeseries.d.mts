/** Types of edgeseries.mjs. Those of documents are made from the server's OpenAPI. */

import type {
  CancelledJob, Coverage, DeadLetters, Health, Job, Jobs, Problem, Purged, Replayed, SitePoints, Sites, Statistics,
  TimeseriesAnswer,
} from "./documents.d.mts";

export type * from "./documents.d.mts";

/** ISO-8601 with a zone, epoch milliseconds, a Date, or what else the server reads: `now`, `-7d`. */
export type When = string | number | Date;

export interface Range {
  site: string;
  points: string[];
  start: When;
  end: When;
}

/** A question. Without `every` and `max_points` it is about samples as they are. */
export interface Question extends Range {
  every?: string | null;
  agg?: string | null;
  tz?: string | null;
  fill?: "none" | "null" | "previous" | null;
  max_points?: number | null;
  method?: string | null;
  max_gap?: string | null;
  route?: "direct" | "cached" | "queued" | null;
}

export interface Answer {
  document: TimeseriesAnswer;
  cache: string;
  upstreamMs: number | null;
  totalMs: number | null;
}

export interface Options {
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

export interface Following {
  signal?: AbortSignal;
  headers?: Record<string, string>;
  onJob?: (job: Job) => void;
}

export interface ClientOptions {
  url?: string;
  key?: string | null;
  fetch?: typeof globalThis.fetch;
  tries?: number;
  firstPauseSeconds?: number;
  longestPauseSeconds?: number;
  sleep?: (seconds: number, signal?: AbortSignal) => Promise<void>;
}

export class ProblemError extends Error {
  constructor(status: number, document?: Partial<Problem>, retryAfterSeconds?: number | null);
  status: number;
  kind: string;
  faults: Array<{ parameter: string; detail: string }>;
  requestId: string | null;
  retryAfterSeconds: number | null;
}

export class JobEnded extends Error {
  constructor(job: Job);
  job: Job;
}

export class Client {
  constructor(options?: ClientOptions);
  url: string;
  key: string | null;
  request(
    path: string,
    options?: Options & { method?: string; query?: Record<string, unknown>; body?: unknown },
  ): Promise<Response>;
  sites(options?: Options): Promise<Sites["sites"] & { readonly unanswered: Sites["unanswered"] }>;
  points(site: string, filters?: Record<string, unknown>, options?: Options): Promise<SitePoints["points"]>;
  ask(question: Question, options?: Options): Promise<Answer | { job: Job }>;
  read(question: Question, options?: Following): Promise<Answer>;
  results(job: Job, options?: Options): Promise<Answer[]>;
  job(jobId: string, options?: Options): Promise<Job>;
  jobs(query?: Record<string, unknown>, options?: Options): Promise<Jobs>;
  cancel(jobId: string): Promise<CancelledJob>;
  retry(jobId: string): Promise<Job>;
  follow(jobId: string, options?: Following): Promise<Job>;
  followBySocket(jobId: string, options?: Following): Promise<Job>;
  socketOf(jobId: string, signal: AbortSignal | undefined, onJob: (job: Job) => void): Promise<number>;
  latest(site: string, points?: string[], options?: Options): Promise<unknown>;
  coverage(range: Range, options?: Options): Promise<Coverage>;
  purge(range: Range, options: { dryRun: boolean }): Promise<Purged>;
  deadLetters(query?: Record<string, unknown>, options?: Options): Promise<DeadLetters>;
  replay(letter: string): Promise<Replayed>;
  stats(options?: Options): Promise<Statistics>;
  health(): Promise<Health>;
}

export interface ChartPoint {
  name: string;
  kind: "number" | "state";
  states: string[];
  error: string | null;
  count: number;
}

/** Aligned columns for uPlot: instants in seconds, then a column a point. */
export function chartData(
  document: TimeseriesAnswer,
  options?: { points?: string[]; gapFactor?: number },
): { data: Array<Array<number | null | undefined>>; points: ChartPoint[] };

export function joined(answers: Answer[]): Answer;
export function retryAfterSeconds(headers: Headers, nowMs?: number): number | null;
export function cacheVerdict(headers: Headers): string;
export function fieldsOf(question: Partial<Question>): Record<string, unknown>;
export function queryOf(fields: Record<string, unknown>): URLSearchParams;
export function events(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<{ id: string; event: string; data: string }>;
