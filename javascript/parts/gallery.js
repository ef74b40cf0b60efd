// The tab "Payloads": finds captures, and shows the one that is chosen.
((pc) => {
    "use strict";

    const SETTLE = 80; // ms that a capture stays chosen by keys until it is fetched
    const MOST = 200000; // rows that a browser scrolls through; filters find what is older

    class Tab {
        constructor(element) {
            this.element = element;
            this.channel = new pc.Channel("tab");
            this.thumbnails = new pc.Thumbnails(new pc.Channel("tab")); // so that rows do not wait for them
            this.listing = new pc.Listing();
            this.edition = null;
            this.selected = null;
            this.standing = ""; // what the webui has to say about capturing as a whole
            this.trash = false; // whether the list is that of the trash
            this.asked = ""; // what the rows are the answer to
            this.serial = 0;
            this.stuck = null; // the page of older ones that did not come, until something else does
            this.hush = () => {}; // takes away the message that says so
            this.kept = null; // a capture that is shown though the list may not have it
            this.follows = true; // until somebody chooses a capture that is not the newest
            this.build();
            this.keys = new pc.Keys(element, this.acts(), () => this.bell.shown);
            this.bell = new pc.Bell(element, this.channel, {
                catchUp: (anew) => this.catchUp(anew),
                heard: (news) => this.heard(news),
                lost: (reason) => this.tell(reason),
            });
        }

        close() {
            for (const part of [this.bell, this.keys, this.list, this.filters, this.importer]) part.close();
            clearTimeout(this.settling);
        }

        // ---- the parts

        build() {
            this.notice = pc.make("p", {class: "pc-message pc-bad", role: "status", hidden: true});
            this.detail = pc.make("section", {class: "pc-detail", tabIndex: -1, "aria-label": pc.t("The chosen capture")});
            this.changes = new pc.Changes(this);
            const disposers = (id) => this.changes.disposers(id);
            this.view = new pc.CaptureView(this.detail, this.channel, this.thumbnails, {disposers});
            this.filters = new pc.Filters(this.channel, () => this.change());
            this.selection = new pc.Selection(this.choosers(), () => this.mark());
            this.left = pc.make("nav", {class: "pc-left", "aria-label": pc.t("Captures")});
            this.list = new pc.List(this.left, pc.t("Captures, newest first"), {
                draw: (row) => this.item(row),
                near: () => this.older(),
            });
            this.empty = pc.make("div", {class: "pc-empty", hidden: true});
            this.columns = pc.make("div", {class: "pc-columns", hidden: true}, this.left, this.detail);
            this.importer = new pc.Importer(this.element, this.channel, (id) => this.reveal(id));
            this.element.replaceChildren(this.notice, this.line(), this.filters.panel, this.filters.chips,
                this.selection.bar, this.empty, this.columns, this.importer.veil);
        }

        line() {
            this.said = pc.make("span", {class: "pc-said", role: "status"});
            this.emptier = pc.sureButton(pc.t("Empty the trash"), pc.t("Really delete all, for good?"), () => this.changes.emptyTrash());
            this.turner = pc.button(pc.t("Trash"), "", () => this.turn());
            this.turner.hidden = true;
            this.shape = pc.button(pc.t("Cards"), "", () => this.reshape(!this.list.cards));
            const help = pc.button("?", pc.t("? The keys"), pc.showKeys);
            this.speak();
            return pc.make("div", {class: "pc-line"}, this.filters.search, this.filters.opener, this.said,
                this.emptier, this.importer.button, this.turner, this.shape, help);
        }

        speak() {
            const here = pc.t("The trash: what lies here is deleted for good after the days that Settings name.");
            this.said.textContent = this.trash ? here : "";
            this.emptier.hidden = !this.trash;
            this.turner.textContent = this.trash ? pc.t("Back to captures") : pc.t("Trash");
        }

        /** Cards fill the page; beside the list there is room for the chosen capture. */
        reshape(cards) {
            this.list.cards = cards;
            this.columns.classList.toggle("pc-wide", cards);
            this.shape.textContent = cards ? pc.t("List") : pc.t("Cards");
            this.list.redraw();
            const index = this.listing.index(this.selected);
            if (index >= 0) this.list.reveal(index);
            if (this.selected) this.show(this.selected);
        }

        choosers() {
            return {
                export: (ids, format) => pc.exportCaptures(this.channel, ids, format),
                compare: ([one, other]) => pc.compare(this.channel, one, other),
                prove: (ids) => pc.prove(this.channel, ids),
                star: (ids) => this.changes.star(ids),
                ...Object.fromEntries(["trash", "restore", "delete"].map((name) => [name, (ids) => this.changes.dispose(name, ids)])),
            };
        }

        acts() {
            const chosen = () => (this.selection.ids.size ? [...this.selection.ids] : [this.selected].filter(Boolean));
            return {
                go: (step, extends_) => this.go(step, extends_),
                open: (id) => this.open(id || this.selected),
                search: () => this.filters.search.focus(),
                copy: () => this.selected && this.copy(),
                prove: () => this.selected && pc.prove(this.channel, [this.selected]),
                star: () => chosen().length && this.changes.star(chosen()),
                remove: () => !this.trash && chosen().length && this.changes.dispose("trash", chosen()),
                toggle: (id) => this.selected && this.selection.toggle(id || this.selected),
                all: () => this.selection.all(this.listing.rows),
                clear: () => this.selection.clear(),
                help: pc.showKeys,
            };
        }

        // ---- what Python says

        question() {
            return {filters: this.filters.asked(), trash: this.trash};
        }

        /** Bring the rows up to date; resolves to what the bell waits for. */
        async catchUp(anew) {
            if (anew) this.edition = null; // settings may have changed, which no capture tells
            const serial = ++this.serial;
            const question = this.question();
            const answer = await this.channel.ask("captures", {known: this.edition, ...question});
            this.stuck = null;
            if (serial !== this.serial) return this.since; // something else was asked meanwhile
            if (answer.captures) this.take(answer, JSON.stringify(question));
            else if (this.lostTouch) this.tell(this.standing);
            this.follow();
            return this.since;
        }

        get since() {
            return {known: this.edition, last: this.last};
        }

        take(answer, asked) {
            const first = asked !== this.asked;
            this.edition = answer.edition;
            this.last = this.last === undefined ? answer.last : Math.max(this.last, answer.last);
            this.standing = pc.t(answer.notice);
            this.tell(this.standing);
            this.turner.hidden = !answer.trash && !this.trash;
            if (this.trash && !answer.captures.length && !this.filters.active) return this.turn();
            if (first) this.clear();
            this.asked = asked;
            const fresh = this.listing.head(answer.captures, answer.next);
            this.arrange(first ? [] : fresh);
        }

        /** What the bell told of captures that are older than the newest page, and of new ones. */
        heard({last, changed, gone, missed}) {
            this.last = last;
            if (missed) this.listing.clear(); // the next answer begins anew
            const all = !this.filters.active && !missed;
            const {fresh, left} = this.listing.hear(changed, gone, this.trash, all);
            this.leave(left);
            if (!missed) this.arrange(fresh);
        }

        /** The filters or the trash were turned: other rows, which come at once. */
        async change() {
            this.edition = null;
            try {
                await this.catchUp(false);
            } catch (error) {
                this.tell(error.message);
            }
        }

        turn() {
            this.trash = !this.trash;
            this.speak();
            return this.change();
        }

        clear() {
            this.listing.clear();
            this.selected = null;
            this.kept = null;
            this.list.current = null;
            this.follows = true;
            this.left.scrollTop = 0;
            this.selection.trash = this.trash;
            this.selection.clear();
            this.view.message("");
        }

        async older() {
            const {cursor, rows} = this.listing;
            if (cursor === null || [this.loading, this.stuck].includes(cursor) || rows.length >= MOST) return;
            this.loading = cursor;
            const asked = this.asked;
            try {
                const answer = await this.channel.ask("older", {cursor, ...JSON.parse(asked)});
                if (asked === this.asked && cursor === this.listing.cursor) {
                    this.listing.append(answer.captures, answer.next);
                    this.loading = null;
                    this.list.show(this.listing.rows);
                }
                this.hush();
            } catch (error) {
                this.stuck = cursor;
                this.hush();
                this.hush = pc.toast(pc.t("Older captures cannot be shown: {reason}", {reason: error.message}), {bad: true});
            } finally {
                if (this.loading === cursor) this.loading = null;
            }
        }

        tell(text) {
            this.lostTouch = text !== this.standing;
            this.notice.textContent = text;
            this.notice.hidden = !text;
        }

        // ---- showing

        /** Show the rows as they are now; `fresh` are the ids of new ones. */
        arrange(fresh) {
            const {rows} = this.listing;
            const before = this.list.rows;
            this.columns.hidden = rows.length === 0;
            this.list.show(rows, fresh);
            this.selection.keep(this.listing.known);
            this.nothing(rows.length === 0);
            if (this.listing.get(this.kept)) this.kept = null; // it is listed by now
            const shown = this.listing.get(this.selected);
            if (shown && this.view.drawn === shown.id) this.view.details.update(shown);
            if (this.selected && !shown && this.selected !== this.kept) this.lost(before);
        }

        /** Captures belong here no more: one that is shown without being listed does not stay. */
        leave(ids) {
            if (ids.includes(this.kept)) this.kept = null;
        }

        nothing(none) {
            this.empty.hidden = !none;
            if (!none) return;
            this.empty.replaceChildren(...pc.noRows(this.filters));
        }

        item(row) {
            const state = {
                current: row.id === this.selected, chosen: this.selection.has(row.id), cards: this.list.cards,
            };
            return pc.rowItem(row, this.thumbnails, state, {
                choose: (event) => this.pressed(row.id, event),
                toggle: (event) => this.ticked(row.id, event),
                star: () => this.changes.star([row.id]),
            });
        }

        pressed(id, event) {
            if (event.shiftKey) this.selection.extend(this.listing.rows, this.selected, id);
            else if (event.ctrlKey || event.metaKey) this.selection.toggle(id);
            else this.choose(id, true);
        }

        ticked(id, event) {
            if (event.shiftKey) this.selection.extend(this.listing.rows, this.selected, id);
            else this.selection.toggle(id);
        }

        /** Show the newest, but change nothing under a pointer or a key that is about to be pressed. */
        follow() {
            const newest = this.listing.rows[0];
            if (!this.follows || this.view.held || !newest || newest.id === this.selected) return;
            const busy = this.detail.matches(":hover, :focus-within") || this.left.querySelector(":focus-visible");
            if (this.selected === null || !busy) this.show(newest.id);
        }

        choose(id, opens = false) {
            this.follows = id === this.listing.rows[0].id;
            if (opens && this.list.cards) this.reshape(false);
            this.show(id);
        }

        /** Show a capture that came just now and may be older than all that are listed. */
        async reveal(id) {
            this.trash = false;
            this.speak();
            this.filters.clear();
            await this.change();
            this.follows = false;
            this.kept = id;
            this.show(id);
        }

        /** Show a capture, after `delay` ms in which no other one was chosen; one that is shown stays
            as it was unfolded. */
        show(id, delay = 0) {
            this.selected = this.list.current = id;
            this.mark();
            clearTimeout(this.settling);
            if (this.list.cards || this.view.id === id) return;
            if (delay) this.settling = setTimeout(() => this.view.show(id), delay);
            else this.view.show(id);
        }

        mark() {
            for (const [id, item] of this.list.items) pc.markItem(item, id === this.selected, this.selection.has(id));
        }

        go(step, extends_) {
            const {rows} = this.listing;
            if (!rows.length) return;
            const here = Math.max(0, this.listing.index(this.selected));
            const across = this.list.cards ? {left: -1, right: 1} : {left: 0, right: 0};
            const steps = {...across, up: -this.list.columns, down: this.list.columns,
                first: -here, last: rows.length - 1 - here};
            const row = rows[here + steps[step]];
            if (!row) return;
            if (extends_) this.selection.extend(rows, this.selected, row.id);
            this.follows = row === rows[0];
            this.show(row.id, SETTLE);
            this.list.reveal(rows.indexOf(row));
            this.list.items.get(row.id).querySelector(".pc-row").focus({preventScroll: true});
        }

        open(id) {
            if (!id) return;
            this.choose(id, true);
            this.detail.focus();
        }

        /** Copy the chosen capture's payload, which is not on the page among cards or a moment after a key. */
        copy() {
            const id = this.selected;
            if (!this.list.cards && this.view.drawn === id) return this.view.copy();
            if (!this.unseen || this.unseen.id !== id) this.unseen = new pc.UnseenCopy(this.channel, id);
            return this.unseen.copy();
        }

        /** The shown capture is not in the list any more: show the one that took its place. */
        lost(before) {
            const index = before.findIndex((row) => row.id === this.selected);
            const {rows} = this.listing;
            this.selected = this.list.current = null;
            const next = rows[Math.min(Math.max(index, 0), rows.length - 1)];
            if (next) this.show(next.id);
            else this.view.message("");
        }
    }

    Object.assign(pc, {Tab});
})((window.payloadCapture = window.payloadCapture || {}));
