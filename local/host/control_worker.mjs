/**
 * Control Worker: what the control channel asks of databases, done inside the runtime.
 *
 * From outside each `prepare` and `bind` is a call of its own, for which the host stands still; a schema has dozens.
 * Must not know any Worker.
 */

import { WorkerEntrypoint } from "cloudflare:workers";

export default class extends WorkerEntrypoint {
  /** Rows of one statement, and how many were changed. */
  async query(binding, sql, params) {
    const { results, meta } = await this.#database(binding).prepare(sql).bind(...params).all();
    return { rows: results, changes: meta.changes };
  }

  /** Run statements, all or none. */
  async apply(binding, statements) {
    const database = this.#database(binding);
    await database.batch(statements.map((statement) => database.prepare(statement)));
  }

  #database(binding) {
    const database = this.env[binding];
    if (database === undefined) throw new Error(`no d1 resource is named ${binding.slice("d1:".length)}`);
    return database;
  }
}
