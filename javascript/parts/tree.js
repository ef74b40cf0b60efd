// The payload as a tree, drawn piece by piece.
((pc) => {
    "use strict";

    const PORTION = 100; // entries that Python sends at once, and that one list shows
    const UNFOLDED = 1000; // rows that "Unfold all" draws
    const PLAIN = /^[^.[\]"=]+$/; // a name that stands in a path as it is

    /** Where something is in the payload, as `payload-replay` reads it too. */
    function writtenPath(path) {
        const step = (name) => (PLAIN.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`);
        const text = path.map((name) => (typeof name === "number" ? `[${name}]` : step(name))).join("");
        return text.replace(/^\./, "");
    }

    /** The entries of a list or an object, or a range of them where they are many. */
    class Branch {
        constructor(tree, path, start, stop, known) {
            Object.assign(this, {tree, path, start, stop, known});
            const length = stop - start;
            this.span = length <= PORTION ? 1 : PORTION ** Math.floor(Math.log(length - 1) / Math.log(PORTION));
            this.element = pc.make("ul", {role: "group"});
            this.rows = [];
            this.filled = null;
        }

        /** Draw the rows, once; at once where they are known. */
        fill() {
            if (!this.filled) {
                this.filled = this.draw();
                this.filled.catch(() => (this.filled = null));
            }
            return this.filled;
        }

        async draw() {
            if (this.span > 1) this.rows = this.ranges();
            else {
                const {path, start, stop} = this;
                const entries = this.known || (await this.tree.ask("branch", {path, start, stop})).entries;
                this.rows = entries.map(([key, node]) => new Row(this.tree, [...path, key], node));
            }
            this.element.replaceChildren(...this.rows.map((row) => row.element));
        }

        ranges() {
            const rows = [];
            for (let start = this.start; start < this.stop; start += this.span) {
                const stop = Math.min(start + this.span, this.stop);
                const known = start === 0 && this.span === PORTION ? this.known : null;
                rows.push(new Row(this.tree, this.path, null, new Branch(this.tree, this.path, start, stop, known)));
            }
            return rows;
        }

        /** The row of the entry with this number, whatever ranges it lies in. */
        async row(number) {
            await this.fill();
            const row = this.rows[Math.floor((number - this.start) / this.span)];
            if (this.span === 1) return row;
            await row.fold(false);
            return row.branch.row(number);
        }
    }

    /** A value in the tree, or a range of values. */
    class Row {
        constructor(tree, path, node, range = null) {
            Object.assign(this, {tree, path, node, branch: range});
            this.isRange = Boolean(range);
            const entries = node && (node.object || (node.list && node.list.map((item, index) => [index, item])));
            if (entries && node.length) {
                const known = entries.length >= Math.min(node.length, PORTION) ? entries : null;
                this.branch = new Branch(tree, path, 0, node.length, known);
            }
            const parts = this.branch ? this.branchParts() : this.leafParts();
            this.element = pc.make("li", {role: "treeitem", class: this.branch ? "pc-branch" : "pc-leaf", tabIndex: -1}, ...parts);
            if (this.branch) {
                this.element.setAttribute("aria-expanded", "false");
                const words = [...this.head.children].map((one) => one.textContent);
                this.element.setAttribute("aria-label", words.join(", "));
                const pictured = node && node.list && node.list.some((item) => item.picture);
                if (pictured || (node && node.list && path.length === 1 && node.length <= 8)) this.fold(false);
            }
            tree.rows.set(this.element, this);
        }

        get folded() {
            return this.branch && this.element.getAttribute("aria-expanded") === "false";
        }

        named() {
            const {path, node} = this;
            const key = pc.make("span", {class: "pc-key", dir: "auto"}, String(path[path.length - 1]));
            const label = node.label ? pc.make("span", {class: "pc-label", dir: "auto"}, node.label) : null;
            return [key, label].filter(Boolean);
        }

        branchParts() {
            const {start, stop} = this.branch;
            const words = this.isRange ? [pc.make("span", {class: "pc-note"}, `${start.toLocaleString()} … ${(stop - 1).toLocaleString()}`)]
                : [...this.named(), pc.make("span", {class: "pc-note"}, pc.count(stop, this.node.object ? "field" : "item"))];
            this.head = pc.make("div", {class: "pc-head"}, ...words);
            this.branch.element.hidden = true;
            return [this.head, this.branch.element];
        }

        leafParts() {
            const {node} = this;
            const parts = [...this.named(), this.value(node)];
            if (node.choice) parts.push(pc.make("span", {class: "pc-note", dir: "auto"}, node.choice));
            return parts;
        }

        async fold(folded) {
            if (!this.branch) return;
            this.element.setAttribute("aria-expanded", String(!folded));
            this.branch.element.hidden = folded;
            if (folded) return;
            try {
                await this.branch.fill();
            } catch (error) {
                pc.toast(error.message, {bad: true});
                this.fold(true);
            }
        }

        value(node) {
            if (node.picture) return this.picture(node);
            if (node.value !== undefined) return pc.make("span", {class: "pc-value"}, pc.verbatim(node.value));
            if (node.text === undefined) return pc.make("span", {class: "pc-text"}); // nothing in it
            return this.text(node);
        }

        picture(node) {
            const name = this.path.join(" ");
            const measure = node.size ? `${node.size[0]}×${node.size[1]} ` : "";
            const about = `${measure}${node.type.replace("image/", "")}, ${pc.size(node.bytes)}`;
            const open = () => pc.enlarge(this.tree.channel, node.picture, `${name}: ${about}`);
            const image = this.tree.thumbnails.image(node.picture, "");
            const properties = {type: "button", class: "pc-picture", onclick: open};
            const label = pc.t("Open {name}", {name: `${name}, ${about}`});
            const shown = pc.make("button", {...properties, "aria-label": label}, image);
            return pc.make("span", {class: "pc-pictured"}, shown, pc.make("span", {class: "pc-note"}, about));
        }

        text(node) {
            const words = pc.make("span", {class: "pc-text", dir: "auto"}, node.text);
            if (node.length <= node.text.length) return words;
            const label = pc.t("Show all {count} characters", {count: node.length.toLocaleString()});
            const toggle = pc.button(label, "", async () => {
                if (words.classList.toggle("pc-all")) {
                    toggle.disabled = true;
                    try {
                        words.replaceChildren(pc.verbatim((await this.tree.ask("text", {path: this.path})).text));
                        toggle.textContent = pc.t("Show less");
                    } catch (error) {
                        words.classList.remove("pc-all");
                        pc.toast(error.message, {bad: true});
                    }
                    toggle.disabled = false;
                } else {
                    words.replaceChildren(pc.verbatim(node.text), "…");
                    toggle.textContent = label;
                }
            }, "pc-small");
            words.append("…");
            return pc.make("span", {class: "pc-long"}, words, toggle);
        }

        /** The value as it stands here in full, null where it has to be asked for. */
        get whole() {
            const {text, value, length} = this.node;
            if (value !== undefined) return value;
            return text !== undefined && length === text.length ? text : null;
        }
    }

    class Tree {
        /** `root` is one of the parts of the capture with this id that are trees. */
        constructor(channel, thumbnails, capture, root) {
            Object.assign(this, {channel, thumbnails, capture, root});
            this.say = (text, bad) => pc.toast(text, {bad});
            this.rows = new WeakMap(); // by their elements
            this.copies = new pc.Copies((text, bad) => this.say(text, bad));
            this.copier = pc.button(pc.t("Copy value"), "", () => this.copyValue(), "pc-small");
            const path = () => this.copies.copy("", () => writtenPath(this.tooled.path));
            this.tools = pc.make("span", {class: "pc-tools"}, this.copier, pc.button(pc.t("Copy path"), "", path, "pc-small"));
            this.tooled = null; // the row that has the tools
        }

        ask(name, more) {
            return this.channel.ask(name, {capture: this.capture, root: this.root, ...more}, pc.PATIENCE_FOR_PICTURES);
        }

        draw(node, label) {
            const entries = node.object.length >= Math.min(node.length, PORTION) ? node.object : null;
            this.top = new Branch(this, [], 0, node.length, entries);
            this.element = this.top.element;
            this.element.className = "pc-tree";
            this.element.setAttribute("role", "tree");
            this.element.setAttribute("aria-label", label);
            this.top.fill();
            if (this.top.rows.length) this.top.rows[0].element.tabIndex = 0;
            this.element.addEventListener("click", (event) => this.clicked(event));
            this.element.addEventListener("keydown", (event) => this.pressed(event));
            this.element.addEventListener("focusin", (event) => this.focused(event));
            this.element.addEventListener("pointerover", (event) => this.pointed(event));
            return this.element;
        }

        rowOf(target) {
            const element = target.closest("[role=treeitem]");
            return element && this.rows.get(element);
        }

        clicked(event) {
            if (!event.target.closest(".pc-head") || event.target.closest("button")) return;
            const row = this.rowOf(event.target);
            row.fold(!row.folded);
        }

        focused(event) {
            const row = this.rowOf(event.target);
            if (!row) return;
            const before = this.element.querySelector("[role=treeitem][tabindex='0']");
            if (before) before.tabIndex = -1;
            row.element.tabIndex = 0;
            this.offer(row);
        }

        /** A pointer that rests takes the buttons away from nobody who goes by keys. */
        pointed(event) {
            if (!this.element.querySelector(":focus-visible")) this.offer(this.rowOf(event.target));
        }

        /** Put the buttons that copy into a row. */
        offer(row) {
            if (!row || row === this.tooled || row.isRange) return;
            this.tooled = row;
            (row.head || row.element).append(this.tools);
        }

        copyValue() {
            const row = this.tooled;
            const key = JSON.stringify(row.path);
            const fetch = row.whole === null ? async () => (await this.ask("text", {path: row.path})).text : () => row.whole;
            this.copies.copy(key, fetch);
        }

        pressed(event) {
            if (event.target.getAttribute("role") !== "treeitem" || event.ctrlKey || event.metaKey || event.altKey) return;
            const row = this.rowOf(event.target);
            const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
            if (step) this.step(row, step);
            else if (event.key === "ArrowRight" && row.folded) row.fold(false);
            else if (event.key === "ArrowRight" && row.branch) this.step(row, 1);
            else if (event.key === "ArrowLeft" && row.branch && !row.folded) row.fold(true);
            else if (event.key === "ArrowLeft") this.focus(row.element.parentElement.closest("[role=treeitem]"));
            else if ((event.key === "Enter" || event.key === " ") && row.branch) row.fold(!row.folded);
            else return;
            event.preventDefault();
            event.stopPropagation();
        }

        step(row, step) {
            const all = [...this.element.querySelectorAll("[role=treeitem]")].filter((item) => item.offsetParent);
            this.focus(all[all.indexOf(row.element) + step]);
        }

        focus(element) {
            if (element) element.focus();
        }

        /** The row at a place, told by the number of each step, with all above it unfolded. */
        async reveal(at) {
            let branch = this.top;
            let row = null;
            for (const number of at) {
                if (row) await row.fold(false);
                row = await branch.row(number);
                branch = row.branch;
            }
            return row;
        }

        /** The places that are unfolded, for `refold`. */
        get unfolded() {
            const open = [...this.element.querySelectorAll("[role=treeitem][aria-expanded=true]")];
            return new Set(open.map((item) => JSON.stringify(this.rows.get(item).path)));
        }

        /** Unfold these places, as far as there are such and no ranges, and fold all others. */
        async refold(unfolded, rows = this.top.rows) {
            for (const row of rows.filter((one) => one.branch && !one.isRange)) {
                await row.fold(!unfolded.has(JSON.stringify(row.path)));
                if (!row.folded) await this.refold(unfolded, row.branch.rows);
            }
        }

        foldAll() {
            const open = this.element.querySelectorAll("[role=treeitem][aria-expanded=true]");
            open.forEach((item) => this.rows.get(item).fold(true));
        }

        /** Unfold level by level until the rows are many, but no ranges; whether all are unfolded. */
        async unfoldAll() {
            let level = this.top.rows;
            let count = level.length;
            let all = true;
            while (level.length) {
                const next = [];
                all = all && !level.some((row) => row.isRange);
                for (const row of level.filter((one) => one.branch && !one.isRange)) {
                    if (count + Math.min(row.branch.stop - row.branch.start, PORTION) > UNFOLDED) return false;
                    await row.fold(false);
                    count += row.branch.rows.length;
                    next.push(...row.branch.rows);
                }
                level = next;
                await new Promise((resolve) => setTimeout(resolve)); // the page goes on meanwhile
            }
            return all;
        }
    }

    Object.assign(pc, {Tree});
})((window.payloadCapture = window.payloadCapture || {}));
