// What becomes of captures: their star, the trash, the way back, and the end.
((pc) => {
    "use strict";

    /** Changes captures of the gallery `tab`, and its rows with them. */
    class Changes {
        constructor(tab) {
            this.tab = tab;
            this.channel = tab.channel;
            this.listing = tab.listing;
        }

        /** The buttons by which the shown capture goes or comes back. */
        disposers(id) {
            const act = (name) => () => this.dispose(name, [id]);
            if (!this.tab.trash) {
                const label = pc.t("Delete: move this capture to the trash");
                return [pc.button(pc.t("Delete"), label, act("trash"), "pc-danger")];
            }
            return [
                pc.button(pc.t("Restore"), pc.t("Restore: take this capture out of the trash"), act("restore")),
                pc.sureButton(pc.t("Delete for good"), pc.t("Really, for good?"), act("delete")),
            ];
        }

        /** Trash, restore or delete captures; what goes to the trash comes back by Undo. */
        async dispose(name, ids) {
            const made = await this.ask(name, ids);
            if (!made) return;
            const {done, failed} = made;
            const before = this.listing.rows;
            const away = failed ? done : ids; // else what is not done was gone already
            this.listing.remove(away);
            if (name === "trash" && done.length) {
                done.forEach((id) => this.listing.taken.add(id));
                const text = done.length === 1 ? pc.t("Moved to the trash.")
                    : pc.t("{count} captures moved to the trash.", {count: done.length.toLocaleString()});
                const label = pc.t("Undo: take out of the trash again");
                pc.toast(text, {action: {text: pc.t("Undo"), label, act: () => this.undo(done)}});
            }
            this.tab.leave(away);
            this.tab.arrange([]);
            if (before.length && !this.listing.rows.length) this.tab.change(); // older ones, or none
        }

        async undo(ids) {
            const made = await this.ask("restore", ids);
            if (!made || made.done.length !== 1) return;
            [this.tab.kept] = made.done; // its row comes by the bell, or with an older page
            this.tab.show(this.tab.kept);
        }

        /** Star captures, or take the star away where all have it. */
        async star(ids) {
            const rows = ids.map((id) => this.listing.get(id)).filter(Boolean);
            const {view} = this.tab;
            if (!rows.length) return view.drawn === ids[0] && view.details.star(); // shown, but not listed
            const starred = rows.some((row) => !row.starred);
            const made = await this.ask("edit", ids, {changes: {starred}});
            if (!made) return;
            for (const id of made.done) {
                const row = this.listing.get(id);
                if (row) Object.assign(row, {starred, revision: row.revision + 1});
            }
            this.tab.arrange([]);
        }

        /** Do it to all: what was done, or null after saying why nothing was. */
        async ask(name, ids, more = {}) {
            try {
                const made = await pc.askForEach(this.channel, name, ids, more);
                if (made.failed) pc.toast(pc.t("Not all was done: {reason}", {reason: made.failed}), {bad: true});
                return made;
            } catch (error) {
                pc.toast(pc.t("Not done: {reason}", {reason: error.message}), {bad: true});
                return null;
            }
        }

        async emptyTrash() {
            const {emptier} = this.tab;
            emptier.disabled = true;
            try {
                await this.channel.ask("empty", {}, pc.PATIENCE_FOR_PICTURES);
            } catch (error) {
                pc.toast(pc.t("Not emptied: {reason}", {reason: error.message}), {bad: true});
            }
            emptier.disabled = false;
        }
    }

    Object.assign(pc, {Changes});
})((window.payloadCapture = window.payloadCapture || {}));
