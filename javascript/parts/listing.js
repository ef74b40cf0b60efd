// The rows of the gallery: what Python told of them, page by page, and what happened since.
((pc) => {
    "use strict";

    /** Rows, newest first; `cursor` is where the next older page begins, null at the end. */
    class Listing {
        constructor() {
            this.taken = new Set(); // ids of rows that this page put away, which Undo brings back
            this.clear();
        }

        clear() {
            this.rows = [];
            this.known = new Map();
            this.cursor = null;
        }

        get(id) {
            return this.known.get(id);
        }

        index(id) {
            return this.rows.indexOf(this.known.get(id)); // by identity: fast for 100,000 too
        }

        /** The newest page anew: rows older than its oldest stay. Returns the ids that are new. */
        head(rows, next) {
            const oldest = rows.length ? rows[rows.length - 1].id : null;
            const joint = next === null ? -1 : this.index(oldest);
            const ids = new Set(rows.map((row) => row.id));
            const tail = joint < 0 ? [] : this.rows.slice(joint + 1).filter((row) => !ids.has(row.id));
            const before = joint < 0 ? this.rows : this.rows.slice(0, joint + 1);
            const fresh = rows.filter((row) => !this.known.has(row.id)).map((row) => row.id);
            const same = rows.map((row) => this.same(row));
            for (const row of before) this.known.delete(row.id);
            for (const row of same) this.known.set(row.id, row);
            if (!tail.length) this.cursor = next;
            this.rows = same.concat(tail);
            return fresh;
        }

        /** The row that is there already where nothing of it changed, so that it is not drawn anew. */
        same(row) {
            const there = this.known.get(row.id);
            return there && JSON.stringify(there) === JSON.stringify(row) ? there : row;
        }

        append(rows, next) {
            for (const row of rows) {
                if (this.known.has(row.id)) continue;
                this.known.set(row.id, row);
                this.rows.push(row);
            }
            this.cursor = next;
        }

        remove(ids) {
            const gone = new Set(ids.filter((id) => this.known.delete(id)));
            if (gone.size) this.rows = this.rows.filter((row) => !gone.has(row.id));
        }

        /**
         * What the bell told; a row that is not here is put in if `all` would be listed. Returns the
         * ids of new rows, and of captures that belong here no more.
         */
        hear(changed, gone, trash, all) {
            const away = changed.filter((row) => Boolean(row.trashed) !== trash).map((row) => row.id);
            const left = [...gone, ...away];
            this.remove(left);
            const fresh = [];
            for (const row of changed) {
                if (Boolean(row.trashed) !== trash) continue;
                const there = this.known.get(row.id);
                if (there) Object.assign(there, row);
                else if ((all || this.taken.has(row.id)) && this.insert(row)) fresh.push(row.id);
            }
            return {fresh, left};
        }

        insert(row) {
            let index = this.rows.findIndex((other) => other.started <= row.started);
            if (index < 0 && this.cursor !== null) return false; // it comes with an older page
            if (index < 0) index = this.rows.length;
            this.rows = [...this.rows.slice(0, index), row, ...this.rows.slice(index)];
            this.known.set(row.id, row);
            return true;
        }
    }

    Object.assign(pc, {Listing});
})((window.payloadCapture = window.payloadCapture || {}));
