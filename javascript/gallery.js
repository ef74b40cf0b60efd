// The tab "Payloads".
((pc) => {
    "use strict";

    const POLL = 1000;

    class Tab {
        constructor(element) {
            this.element = element;
            this.channel = new pc.Channel("tab");
            this.thumbnails = new pc.Thumbnails(this.channel);
            this.rows = [];
            this.items = new Map();
            this.edition = null;
            this.cursor = null;
            this.selected = null;
            this.standing = ""; // what the webui has to say about capturing as a whole
            this.visible = false;
            this.trash = false; // whether the list is that of the trash
            this.listed = false; // what `trash` was when the rows came
            this.moved = null; // the capture that Undo takes out of the trash
            this.follows = true; // until somebody chooses a capture that is not the newest
            this.build();
            this.timer = setInterval(() => this.poll(), POLL);
        }

        close() {
            clearInterval(this.timer);
        }

        build() {
            this.notice = pc.make("p", {class: "pc-message pc-bad", role: "status", hidden: true});
            this.list = pc.make("ul", {class: "pc-list", "aria-label": "Captures, newest first"});
            this.more = pc.button("Show older", "Show older captures", () => this.older(), "pc-more");
            this.more.hidden = true;
            this.detail = pc.make("section", {class: "pc-detail", "aria-label": "The chosen capture"});
            const disposers = (id) => this.disposers(id);
            this.view = new pc.CaptureView(this.detail, this.channel, this.thumbnails, {disposers});
            this.left = pc.make("nav", {class: "pc-left", "aria-label": "Captures"}, this.list, this.more);
            this.left.addEventListener("keydown", (event) => this.arrow(event));
            this.empty = pc.make("div", {class: "pc-empty", hidden: true},
                pc.make("h2", {}, "No captures yet"),
                pc.make("p", {}, "Generate a picture in txt2img or img2img, or send a request to the API. ",
                    "It appears here by itself when the job ends, as the payload that makes it again."));
            this.columns = pc.make("div", {class: "pc-columns", hidden: true}, this.left, this.detail);
            this.element.replaceChildren(this.notice, this.line(), this.empty, this.columns);
        }

        /** What was moved to the trash, with the way back; the ways into the trash and out of it. */
        line() {
            this.said = pc.make("span", {class: "pc-said", role: "status"});
            const undo = () => this.act("restore", this.moved);
            this.undo = pc.button("Undo", "Take the capture out of the trash again", undo, "pc-small");
            this.emptier = pc.sureButton("Empty the trash", "Really delete all, for good?", () => this.emptyTrash());
            this.turner = pc.button("Trash", "", () => this.turn());
            this.turner.hidden = true;
            this.speak();
            return pc.make("div", {class: "pc-line"}, this.said, this.undo, this.emptier, this.turner);
        }

        speak(trouble = "") {
            const here = "The trash: what lies here is deleted for good after the days that Settings name.";
            this.said.textContent = trouble || (this.trash ? here : this.moved ? "Moved to the trash." : "");
            this.said.classList.toggle("pc-bad", Boolean(trouble));
            this.undo.hidden = this.trash || !this.moved;
            this.emptier.hidden = !this.trash;
            this.turner.textContent = this.trash ? "Back to captures" : "Trash";
        }

        get shown() {
            return this.element.offsetParent !== null && !document.hidden;
        }

        async poll() {
            const shown = this.shown;
            // What can change without a capture, such as settings, is asked for when the tab opens.
            if (shown && !this.visible) this.edition = null;
            this.visible = shown;
            if (!shown || this.channel.busy || this.polling) return;
            this.polling = true;
            try {
                if (await this.channel.alive()) await this.refresh();
                else this.tell(pc.GONE);
            } catch (error) {
                this.tell(error.message);
            }
            this.polling = false;
        }

        async refresh() {
            const trash = this.trash;
            const shown = trash === this.listed ? this.rows.length : 0;
            const answer = await this.channel.ask("captures", {known: this.edition, shown, trash});
            if (trash !== this.trash) return; // turned meanwhile: asked again
            if (!answer.captures) {
                if (this.lostTouch) this.tell(this.standing);
                return this.follow();
            }
            const first = this.edition === null && !this.rows.length;
            this.edition = answer.edition;
            this.standing = answer.notice;
            this.tell(answer.notice);
            this.turner.hidden = !answer.trash && !trash;
            if (trash && !answer.captures.length) return this.turn();
            if (trash !== this.listed) this.clear(trash);
            // Rows that were loaded before, older than the answer's oldest, stay.
            const oldest = answer.captures.length ? answer.captures[answer.captures.length - 1].id : null;
            const joint = this.rows.findIndex((row) => row.id === oldest);
            const tail = answer.next === null || joint < 0 ? [] : this.rows.slice(joint + 1);
            if (!tail.length) this.cursor = answer.next;
            this.arrange([...answer.captures, ...tail], first);
            if (this.selected && !this.items.has(this.selected)) this.removed(this.selected);
            this.mark(this.selected);
            this.follow();
        }

        /** Go to the trash or come back; what is shown stays until the other rows are there. */
        turn() {
            this.trash = !this.trash;
            this.edition = null;
            this.moved = null;
            this.speak();
            this.poll();
        }

        clear(trash) {
            this.listed = trash;
            this.rows = [];
            this.selected = null;
            this.follows = true;
            this.view.message("");
        }

        /** The buttons by which the shown capture goes or comes back. */
        disposers(id) {
            const trash = () => this.act("trash", id);
            if (!this.listed) return [pc.button("Delete", "Move this capture to the trash", trash, "pc-danger")];
            const restore = () => this.act("restore", id);
            return [
                pc.button("Restore", "Take this capture out of the trash", restore),
                pc.sureButton("Delete for good", "Really, for good?", () => this.act("delete", id)),
            ];
        }

        async act(name, id) {
            try {
                await this.channel.ask(name, {capture: id});
            } catch (error) {
                return this.speak(`Not done: ${error.message}`);
            }
            const undone = name === "restore" && !this.listed;
            this.moved = name === "trash" ? id : null;
            this.speak();
            if (undone) this.show(id); // its row comes with the next answer
            else this.removed(id);
        }

        async emptyTrash() {
            this.emptier.disabled = true;
            try {
                await this.channel.ask("empty", {}, pc.PATIENCE_FOR_PICTURES);
            } catch (error) {
                this.speak(`Not emptied: ${error.message}`);
            }
            this.emptier.disabled = false;
        }

        /** Show the newest, but change nothing under a pointer that is about to press. */
        follow() {
            const newest = this.rows[0];
            if (!this.follows || this.view.held || !newest || newest.id === this.selected) return;
            if (this.selected === null || !this.detail.matches(":hover, :focus-within")) this.show(newest.id);
        }

        async older() {
            this.more.disabled = true;
            try {
                const trash = this.listed;
                const answer = await this.channel.ask("older", {cursor: this.cursor, trash});
                if (trash !== this.listed) return;
                this.cursor = answer.next;
                const known = answer.captures.filter((row) => !this.items.has(row.id));
                this.arrange([...this.rows, ...known], true);
            } catch (error) {
                this.speak(error.message);
            } finally {
                this.more.disabled = false;
            }
        }

        /** Show these rows, keeping the elements of those that are there: focus and scroll stay. */
        arrange(rows, quiet) {
            this.rows = rows;
            const items = new Map();
            for (const row of rows) {
                let item = this.items.get(row.id);
                if (!item) {
                    item = this.item(row);
                    if (!quiet) item.classList.add("pc-new");
                }
                items.set(row.id, item);
            }
            for (const [id, item] of this.items) if (!items.has(id)) item.remove();
            let next = this.list.firstElementChild;
            for (const item of items.values()) {
                if (item === next) next = next.nextElementSibling;
                else this.list.insertBefore(item, next);
            }
            this.items = items;
            this.more.hidden = this.cursor === null;
            this.empty.hidden = rows.length > 0 || this.listed;
            this.columns.hidden = rows.length === 0;
        }

        item(row) {
            const prompt = pc.make("span", {class: "pc-prompt", dir: "auto"}, row.prompt || "(no prompt)");
            const measure = row.size[0] && row.size[1] ? `${row.size[0]}×${row.size[1]}` : "";
            const pictures = row.pictures > 1 ? pc.count(row.pictures, "picture") : "";
            const words = [pc.kindOf(row.endpoint), measure, row.seed && `seed ${row.seed}`, pictures];
            const facts = pc.make("span", {class: "pc-note"}, words.filter(Boolean).join(" · "));
            const warned = row.warnings && !row.failure ? ` · ${pc.count(row.warnings, "warning")}` : "";
            const when = pc.make("span", {class: "pc-note"}, ...pc.badges(row), pc.moment(row.started),
                ` · ${pc.SOURCES[row.source]}${warned}`);
            const model = row.model ? pc.make("span", {class: "pc-note pc-model", dir: "auto"}, row.model) : null;
            const reason = row.failure || row.error;
            const why = reason ? pc.make("span", {class: "pc-reason", dir: "auto"}, reason) : null;
            const text = pc.make("span", {class: "pc-lines"}, prompt, facts, model, when, why);
            const image = this.thumbnails.image(row.thumbnail, "");
            const face = row.thumbnail ? image : pc.make("span", {class: "pc-thumb pc-missing"});
            const choose = () => this.choose(row.id);
            return pc.make("li", {}, pc.make("button", {type: "button", class: "pc-row", onclick: choose}, face, text));
        }

        choose(id) {
            this.moved = null;
            this.speak();
            this.follows = id === this.rows[0].id;
            this.show(id);
        }

        show(id) {
            this.mark(id);
            this.view.show(id);
        }

        mark(id) {
            for (const [known, item] of this.items) {
                item.firstElementChild.setAttribute("aria-current", String(known === id));
            }
            this.selected = id;
        }

        arrow(event) {
            const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
            if (!step) return;
            const index = this.rows.findIndex((row) => row.id === this.selected) + step;
            const row = this.rows[index];
            if (!row) return;
            event.preventDefault();
            this.choose(row.id);
            this.items.get(row.id).firstElementChild.focus();
        }

        removed(id) {
            const index = this.rows.findIndex((row) => row.id === id);
            const rest = this.rows.filter((row) => row.id !== id);
            this.arrange(rest, true);
            if (this.selected !== id) return;
            this.selected = null;
            const next = rest[Math.min(Math.max(index, 0), rest.length - 1)];
            if (next) this.show(next.id);
            else this.view.message("");
        }

        tell(text) {
            this.lostTouch = text !== this.standing;
            this.notice.textContent = text;
            this.notice.hidden = !text;
        }
    }

    Object.assign(pc, {Tab});
})((window.payloadCapture = window.payloadCapture || {}));
