/**
 * The documents of the API, made from its OpenAPI: UPDATE_GOLDEN=1 pytest tests/clients/test_javascript.py
 * Fields are only ever added, so a newer server has all of these.
 */

export interface AcceptedJob {
  jobId: string;
  status: "queued" | "processing" | "retrying" | "completed" | "failed" | "cancelled";
  progress: number;
  site: string;
  pointCount: number;
  startTime: string;
  endTime: string;
  priority: "high" | "normal" | "low";
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  updatedAt: string;
  batches: {
    done: number;
    total: number;
  };
  estimatedSize: number;
  samplesCount: number;
  retries: number;
  ratePerSecond: number | null;
  etaSeconds: number | null;
  error: string | null;
  statusUrl: string;
  eventsUrl: string;
  resultUrl: string | null;
  resultParts: number | null;
  pollInterval: number | null;
  message: string;
  estimatedSamples: number;
}

export interface CancelledJob {
  success: true;
  message: string;
  jobId: string;
  status: "queued" | "processing" | "retrying" | "completed" | "failed" | "cancelled";
  progress: number;
  site: string;
  pointCount: number;
  startTime: string;
  endTime: string;
  priority: "high" | "normal" | "low";
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  updatedAt: string;
  batches: {
    done: number;
    total: number;
  };
  estimatedSize: number;
  samplesCount: number;
  retries: number;
  ratePerSecond: number | null;
  etaSeconds: number | null;
  error: string | null;
  statusUrl: string;
  eventsUrl: string;
  resultUrl: string | null;
  resultParts: number | null;
  pollInterval: number | null;
}

export type Columns = {
  [name: string]: Array<number | string | boolean | null> | {
    time: Array<number>;
    value: Array<number | string | boolean | null>;
  };
};

export interface Coverage {
  site: string;
  startTime: string;
  endTime: string;
  settleLagSeconds: number;
  firstUnsealedDay: string;
  live: DayRange | null;
  lateness: {
    observations: number;
    mostWithinSeconds: number | null;
    highestSeconds: number | null;
    advisedSettleLagSeconds: number | null;
  };
  totals: {
    points: number;
    storedDays: number;
    emptyDays: number;
    rereadDays: number;
    missingDays: number;
    liveDays: number;
    estimatedMissingSamples: number;
    estimatedAnswerSamples: number;
    route: "direct" | "cached" | "queued";
  };
  complete: boolean;
  groups: Array<{
    pointCount: number;
    stored: Days;
    empty: Days;
    missing: Days;
    points: Array<string>;
  }>;
}

export type DayRange = [string, string];

export interface Days {
  days: number;
  ranges: Array<DayRange> | null;
}

export interface DeadLetter {
  letterId: string;
  queue: string;
  jobId: string | null;
  batchIndex: number | null;
  message: Record<string, unknown>;
  cause: string;
  attempts: number;
  buriedAt: string;
  replayedAt: string | null;
  replayUrl: string;
}

export interface DeadLetters {
  letters: Array<DeadLetter>;
  cursor: string | null;
}

export interface Estimate {
  site: string;
  route: string;
  /** Objects that would be read; null if they are too many to list. */
  objects: number | null;
  storedSamples: number;
  upstreamSamples: number;
  /** Samples or buckets in the answer, at most. */
  values: number;
  /** Of the answer, before compression. */
  bytes: number;
  seconds: number;
  learnedFrom: {
    /** Points whose density was learned from samples. */
    knownPoints: number;
    /** Points that nothing is known of yet: a usual density is assumed. */
    assumedPoints: number;
    /** Answers of this isolate that rates were learned from. */
    answers: number;
  };
}

export interface Event {
  id?: string;
  event?: "progress" | "completed" | "failed" | "cancelled";
  data?: string;
  retry?: number;
}

export interface Health {
  status: "ok" | "failing";
  parts?: {
    [name: string]: {
      status: "ok" | "failing";
      durationMs: number;
      fault: string | null;
      circuit?: "closed" | "open" | "probing";
      installation?: {
        at: string;
        found: {
          [name: string]: string;
        };
        fault: string | null;
      };
      [name: string]: unknown;
    };
  };
}

export interface Job {
  jobId: string;
  status: "queued" | "processing" | "retrying" | "completed" | "failed" | "cancelled";
  progress: number;
  site: string;
  pointCount: number;
  startTime: string;
  endTime: string;
  priority: "high" | "normal" | "low";
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  updatedAt: string;
  batches: {
    done: number;
    total: number;
  };
  estimatedSize: number;
  samplesCount: number;
  retries: number;
  ratePerSecond: number | null;
  etaSeconds: number | null;
  error: string | null;
  statusUrl: string;
  eventsUrl: string;
  resultUrl: string | null;
  resultParts: number | null;
  pollInterval: number | null;
}

export interface JobRequest {
  /** The site, as `GET /api/sites` names it. */
  site: string;
  /** Names of points, as `GET /api/sites/{site}/points` lists them, between commas. */
  points: Array<string>;
  /** Where the range begins; this moment is in it. */
  start_time: string | number;
  /** Where the range ends; this moment is not in it. */
  end_time: string | number;
  /** How to answer; left out, the size of the request decides. */
  route?: "direct" | "cached" | "queued";
  /** `true`: each point's last sample before the range comes first, with its own time. */
  previous?: "true" | "false";
  /** Answer buckets of this width instead of samples: 15m, 1h, 1d, 1w, 1M, 1y. */
  every?: string;
  /** What is made of each bucket, one or several between commas; `mean` if left out. */
  agg?: Array<"mean" | "min" | "max" | "sum" | "count" | "count_all" | "first" | "last" | "twa" | "increase" | "delta">;
  /** The time zone whose clock and calendar buckets follow. */
  tz?: string;
  /** What stands for an empty bucket: nothing, null, or the value before it. */
  fill?: "none" | "null" | "previous";
  /** How long a value holds when none follows; how far apart two samples of a growth may be. */
  max_gap?: string;
  /** For a chart: at most so many samples of each point, chosen so that it looks alike. */
  max_points?: number;
  /** How samples are chosen for a chart (`max_points`). */
  method?: "minmax" | "m4" | "lttb";
  /** Without effect: front ends of the earlier services send it. */
  user_id?: string;
  dry_run?: boolean | "true" | "false";
  priority?: "high" | "normal" | "low";
}

export interface Jobs {
  jobs: Array<Job>;
  cursor: string | null;
}

export interface Key {
  keyId: string;
  owner: string;
  sites: Array<string>;
  rights: Array<"read" | "jobs" | "purge" | "admin">;
  tier: "standard" | "bulk";
  createdAt: string;
  revokedAt: string | null;
  usedAt: string | null;
  keyUrl: string;
}

export interface KeyRequest {
  owner: string;
  sites: Array<string>;
  rights: Array<"read" | "jobs" | "purge" | "admin">;
  tier?: "standard" | "bulk";
}

export interface Keys {
  keys: Array<Key>;
  cursor: string | null;
}

export interface Latest {
  site: string;
  at: string;
  count: number;
  points: {
    [name: string]: {
      time: number | null;
      value: number | string | boolean | null;
      ageSeconds: number | null;
      error: string | null;
    };
  };
}

export interface MadeKey {
  key: string;
  keyId: string;
  owner: string;
  sites: Array<string>;
  rights: Array<"read" | "jobs" | "purge" | "admin">;
  tier: "standard" | "bulk";
  createdAt: string;
  revokedAt: string | null;
  usedAt: string | null;
  keyUrl: string;
}

export interface Problem {
  type: "urn:edgeseries:problem:bad-request" | "urn:edgeseries:problem:conflict" | "urn:edgeseries:problem:deadline-exceeded" | "urn:edgeseries:problem:forbidden" | "urn:edgeseries:problem:gone" | "urn:edgeseries:problem:headers-too-large" | "urn:edgeseries:problem:internal-error" | "urn:edgeseries:problem:invalid-request" | "urn:edgeseries:problem:memory-busy" | "urn:edgeseries:problem:method-not-allowed" | "urn:edgeseries:problem:not-acceptable" | "urn:edgeseries:problem:not-found" | "urn:edgeseries:problem:rate-limited" | "urn:edgeseries:problem:request-timeout" | "urn:edgeseries:problem:store-unavailable" | "urn:edgeseries:problem:too-large" | "urn:edgeseries:problem:unavailable" | "urn:edgeseries:problem:unidentified" | "urn:edgeseries:problem:upstream-busy" | "urn:edgeseries:problem:upstream-contract" | "urn:edgeseries:problem:upstream-garbled" | "urn:edgeseries:problem:upstream-oversize" | "urn:edgeseries:problem:upstream-refused" | "urn:edgeseries:problem:upstream-suspended" | "urn:edgeseries:problem:upstream-throttled" | "urn:edgeseries:problem:upstream-unreachable";
  title: string;
  status: number;
  detail: string;
  instance: string;
  requestId: string;
  /** Every fault of the request. */
  errors?: Array<{
    parameter: string;
    detail: string;
  }>;
  /** The right that the key lacks. */
  right?: "read" | "jobs" | "purge" | "admin";
  /** Seconds. */
  retryAfter?: number;
}

export interface Purged {
  blocks: number;
  storedBytes: number;
  dryRun: boolean;
  site: string;
  pointCount: number | null;
  days: DayRange | null;
}

export interface RangeRequest {
  /** The site, as `GET /api/sites` names it. */
  site: string;
  /** Names of points, as `GET /api/sites/{site}/points` lists them, between commas. */
  points: Array<string>;
  /** Where the range begins; this moment is in it. */
  start_time: string | number;
  /** Where the range ends; this moment is not in it. */
  end_time: string | number;
  /** How to answer; left out, the size of the request decides. */
  route?: "direct" | "cached" | "queued";
  /** `true`: each point's last sample before the range comes first, with its own time. */
  previous?: "true" | "false";
  /** Answer buckets of this width instead of samples: 15m, 1h, 1d, 1w, 1M, 1y. */
  every?: string;
  /** What is made of each bucket, one or several between commas; `mean` if left out. */
  agg?: Array<"mean" | "min" | "max" | "sum" | "count" | "count_all" | "first" | "last" | "twa" | "increase" | "delta">;
  /** The time zone whose clock and calendar buckets follow. */
  tz?: string;
  /** What stands for an empty bucket: nothing, null, or the value before it. */
  fill?: "none" | "null" | "previous";
  /** How long a value holds when none follows; how far apart two samples of a growth may be. */
  max_gap?: string;
  /** For a chart: at most so many samples of each point, chosen so that it looks alike. */
  max_points?: number;
  /** How samples are chosen for a chart (`max_points`). */
  method?: "minmax" | "m4" | "lttb";
  /** Without effect: front ends of the earlier services send it. */
  user_id?: string;
}

export interface Replayed {
  letter: DeadLetter;
  job: Job | null;
}

export interface ResultFiles {
  files: Array<{
    path: string;
    url: string;
    point: string;
    startTime: string;
    endTime: string;
  }>;
  count: number;
  cursor: string | null;
}

export type Rows = Array<{
  point: string;
  aggregate?: string;
  time: string;
  value: number | string | boolean | null;
}>;

export type Sample = [number, number | string | boolean | null];

export interface SavedSet {
  name: string;
  owner: string;
  site: string;
  pointCount: number;
  points: Array<string>;
  days: number;
  hours: Array<number>;
  weekdays: Array<string>;
  changedAt: string;
  lastRun: {
    jobId: string;
    reason: "pattern" | "schedule" | "request";
    firstDay: string;
    lastDay: string;
    pointDays: number;
    expectedSamples: number;
    expectedCalls: number;
    plannedAt: string;
    status: string | null;
    samples: number;
    usedAt: string | null;
  } | null;
}

export interface SavedSetRequest {
  /** At most 512 bytes of UTF-8, no control characters. */
  site: string;
  points: Array<string>;
  /** So many days before today. */
  days?: number;
  hours?: Array<number>;
  weekdays?: Array<"mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun">;
}

export interface Series {
  samples: Array<Sample>;
  count: number;
  error: string | null;
  /** Of a question: the samples of its answer. */
  sourceCount?: number;
}

export interface Session {
  auth: "open" | "keys";
  known: boolean;
  keyId: string | null;
  rights: Array<"read" | "jobs" | "purge" | "admin">;
  sites: Array<string> | null;
  tier: "standard" | "bulk";
}

export interface SitePoints {
  site: string;
  points: Array<{
    name: string;
    unit: string | null;
    kind: string | null;
    intervalSeconds: number | null;
  }>;
  count: number;
  total: number;
  cursor: string | null;
}

export interface Sites {
  sites: Array<{
    name: string;
    title: string | null;
  }>;
  count: number;
  unanswered: Array<{
    upstream: string;
    prefix: string;
    fault: string;
  }>;
}

export interface Statistics {
  at: string;
  cache: {
    objects: number;
    samples: number;
    rawBytes: number;
    storedBytes: number;
    compressionRatio: number | null;
    uses: number;
    hitRate: number | null;
    blocks: {
      objects: number;
      samples: number;
      rawBytes: number;
      storedBytes: number;
      compressionRatio: number | null;
      uses: number;
    };
    answers: {
      objects: number;
      samples: number;
      rawBytes: number;
      storedBytes: number;
      compressionRatio: number | null;
      uses: number;
    };
    bySite: Array<{
      site: string;
      objects: number;
      samples: number;
      rawBytes: number;
      storedBytes: number;
      compressionRatio: number | null;
      uses: number;
    }>;
  };
  jobs: {
    active: {
      [name: string]: number;
    };
    completed: number;
    failed: number;
    cancelled: number;
    successRate: number | null;
    samples: number;
    durationMs: {
      p50: number | null;
      p95: number | null;
    };
    deadLetters: number;
    byDay: Array<{
      day: string;
      completed: number;
      failed: number;
      cancelled: number;
      samples: number;
    }>;
  };
  requests: {
    since: string | null;
    count: number;
    errors: number;
    byRoute: Array<{
      endpoint: string;
      route: string | null;
      count: number;
      refused: number;
      errors: number;
      hits: number;
      hitRate: number | null;
      durationMs: {
        mean: number;
        p50: number | null;
        p95: number | null;
      };
      samples: number;
      upstreamSamples: number;
      savedSamples: number;
      bodyBytes: number;
    }>;
  };
  upstream: {
    calls: number;
    refusedCalls: number;
    waitedSeconds: {
      interactive: number;
      job: number;
      warming: number;
    };
    samples: number;
    savedSamples: number;
    surplusSamples: number;
    byUpstream: Array<{
      upstream: string | null;
      calls: number;
      failedCalls: number | null;
      fetches: number | null;
      failedFetches: number | null;
      samples: number;
    }>;
  };
  sharing: {
    shared: number;
    takenOver: number;
    waitedInVain: number;
  };
  warming: {
    since: string;
    asks: number;
    askedPointDays: number;
    missingPointDays: number;
    jobs: number;
    warmedPointDays: number;
    usedJobs: number;
    usedPointDays: number;
    hitRate: number | null;
    hitRateWithout: number | null;
  };
  estimates: {
    answers: number;
    expectedUpstreamSamples: number;
    deliveredUpstreamSamples: number;
    expectedSeconds: number;
    measuredSeconds: number;
  };
  lateData: Array<{
    site: string;
    settleLagSeconds: number;
    lateness: {
      observations: number;
      mostWithinSeconds: number | null;
      highestSeconds: number | null;
      advisedSettleLagSeconds: number | null;
    };
    reread: {
      days: number;
      correctedDays: number;
      addedSamples: number;
      changedSamples: number;
      removedSamples: number;
    };
  }>;
  cost: {
    currency: string;
    month: string;
    soFar: number;
    wholeMonth: number;
    plan: number;
    lines: Array<{
      meter: string;
      product: string;
      unit: string;
      used: number;
      usedWholeMonth: number;
      included: number;
      soFar: number;
      wholeMonth: number;
      basis: "counted" | "estimated" | "not counted";
      source: string;
      readOn: string;
    }>;
  };
}

export interface TimeseriesAnswer {
  data: {
    [name: string]: Series;
  };
  _meta: {
    site: string;
    startTime: string;
    endTime: string;
    pointCount: number;
    sampleCount: number;
    question?: {
      every?: string;
      aggregates?: Array<string>;
      tz?: string;
      fill?: string;
      maxGapSeconds?: number;
      partialBuckets?: Array<number>;
      maxPoints?: number;
      method?: string;
    };
  };
}

export interface TimeseriesRequest {
  /** The site, as `GET /api/sites` names it. */
  site: string;
  /** Names of points, as `GET /api/sites/{site}/points` lists them, between commas. */
  points: Array<string>;
  /** Where the range begins; this moment is in it. */
  start_time: string | number;
  /** Where the range ends; this moment is not in it. */
  end_time: string | number;
  /** How to answer; left out, the size of the request decides. */
  route?: "direct" | "cached" | "queued";
  /** `true`: each point's last sample before the range comes first, with its own time. */
  previous?: "true" | "false";
  /** Answer buckets of this width instead of samples: 15m, 1h, 1d, 1w, 1M, 1y. */
  every?: string;
  /** What is made of each bucket, one or several between commas; `mean` if left out. */
  agg?: Array<"mean" | "min" | "max" | "sum" | "count" | "count_all" | "first" | "last" | "twa" | "increase" | "delta">;
  /** The time zone whose clock and calendar buckets follow. */
  tz?: string;
  /** What stands for an empty bucket: nothing, null, or the value before it. */
  fill?: "none" | "null" | "previous";
  /** How long a value holds when none follows; how far apart two samples of a growth may be. */
  max_gap?: string;
  /** For a chart: at most so many samples of each point, chosen so that it looks alike. */
  max_points?: number;
  /** How samples are chosen for a chart (`max_points`). */
  method?: "minmax" | "m4" | "lttb";
  /** Without effect: front ends of the earlier services send it. */
  user_id?: string;
  /** The format; left out, `Accept` decides, else JSON. */
  format?: "json" | "rows" | "columns" | "csv" | "ndjson" | "msgpack" | "arrow" | "parquet";
  /** Of CSV and Arrow (`long`) and columns (`wide`): a row a sample, or an instant. */
  shape?: "long" | "wide";
  /** Of columns: epoch milliseconds (`ms`), or seconds. */
  time_unit?: "ms" | "s";
  dry_run?: boolean | "true" | "false";
}

export interface WarmRequest {
  set?: string;
  /** At most 512 bytes of UTF-8, no control characters. */
  site?: string;
  points?: Array<string>;
  /** So many days before today. */
  days?: number;
  /** ISO-8601 with a zone, epoch milliseconds between 1970 and 2100, or relative: `now-7d`, `today`, `yesterday` (days of `tz`). */
  start_time?: string | number;
  /** ISO-8601 with a zone, epoch milliseconds between 1970 and 2100, or relative: `now-7d`, `today`, `yesterday` (days of `tz`). */
  end_time?: string | number;
}

export interface Warming {
  sets: Array<SavedSet>;
  patterns: Array<{
    site: string;
    pointCount: number;
    points: Array<string>;
    firstBack: number;
    lastBack: number;
    hour: number;
    days: number;
    asks: number;
    comesToday: boolean;
    lastRun: {
      jobId: string;
      reason: "pattern" | "schedule" | "request";
      firstDay: string;
      lastDay: string;
      pointDays: number;
      expectedSamples: number;
      expectedCalls: number;
      plannedAt: string;
      status: string | null;
      samples: number;
      usedAt: string | null;
    } | null;
  }>;
  budget: {
    on: boolean;
    samplesPerDay: number;
    callsPerDay: number;
    samplesToday: number;
    callsToday: number;
  } | null;
}
