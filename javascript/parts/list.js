// A list of which only what is seen is on the page, so that 100,000 rows scroll as ten do.
((pc) => {
    "use strict";

    const BEYOND = 4; // lines above and below what is seen
    const NEAR = 150; // rows before the end from which older ones are asked for
    const LINE = 108; // px of a row in the list
    const CARD = 188; // px of a card at least
    const WORDS = 96; // px of a card below its picture

    /**
     * Draws rows into `scroller`, each by `draw(row)`, as a list or as a grid of cards. `near()` is
     * called when the end comes into reach. The current and the focused row are always there.
     */
    class List {
        constructor(scroller, label, {draw, near}) {
            Object.assign(this, {scroller, draw, near, rows: [], items: new Map(), current: null});
            this.cards = false;
            this.element = pc.make("ul", {class: "pc-list", role: "list", "aria-label": label});
            scroller.append(this.element);
            this.observer = new ResizeObserver(() => this.render());
            this.observer.observe(scroller);
            scroller.addEventListener("scroll", () => this.render(), {passive: true});
        }

        close() {
            this.observer.disconnect();
        }

        /** Lines and columns as they fit now. */
        measure() {
            const width = this.element.clientWidth;
            const columns = this.cards ? Math.max(1, Math.floor(width / CARD)) : 1;
            const side = Math.floor(width / columns);
            return {columns, side, line: this.cards ? side + WORDS : LINE};
        }

        /** Show these rows; `fresh` are the ids of those that just came: what is seen stays in place. */
        show(rows, fresh = []) {
            const top = this.scroller.scrollTop;
            const {line, columns} = this.measure();
            const anchor = top > 0 ? this.rows[Math.floor(top / line) * columns] : null;
            this.rows = rows;
            this.fresh = new Set(fresh);
            this.element.classList.toggle("pc-moves", top < line && fresh.length > 0);
            this.render();
            if (anchor && fresh.length) this.keep(anchor, top % line, line, columns);
        }

        keep(anchor, rest, line, columns) {
            const index = this.rows.indexOf(anchor);
            if (index < 0) return;
            const top = Math.floor(index / columns) * line + rest;
            if (Math.abs(top - this.scroller.scrollTop) < 1) return;
            this.scroller.scrollTop = top;
            this.render();
        }

        render() {
            const {columns, side, line} = this.measure();
            this.columns = columns;
            this.element.style.height = `${Math.ceil(this.rows.length / columns) * line}px`;
            const height = this.scroller.clientHeight;
            if (!height && this.rows.length) return; // not seen
            const top = this.scroller.scrollTop;
            const first = Math.max(0, Math.floor(top / line) - BEYOND) * columns;
            const last = Math.min(this.rows.length, (Math.ceil((top + height) / line) + BEYOND) * columns);
            const items = new Map();
            for (const index of this.wanted(first, last)) {
                const row = this.rows[index];
                items.set(row.id, this.placed(row, index, columns, side, line));
            }
            this.exchange(items);
            if (last >= this.rows.length - NEAR) this.near();
        }

        /** The indices of the rows to draw, in their order. */
        wanted(first, last) {
            const made = Array.from({length: Math.max(0, last - first)}, (_, number) => first + number);
            const held = document.activeElement && document.activeElement.closest(".pc-item");
            for (const id of [this.current, held && held.dataset.id]) {
                const item = id && this.items.get(id);
                const index = item || id === this.current ? this.rows.findIndex((row) => row.id === id) : -1;
                if (index >= 0 && (index < first || index >= last) && !made.includes(index)) made.push(index);
            }
            return made.sort((one, other) => one - other);
        }

        placed(row, index, columns, side, line) {
            let item = this.items.get(row.id);
            if (!item || item.shows !== row || item.revision !== row.revision) item = this.redrawn(row, item);
            const style = `top: ${Math.floor(index / columns) * line}px; ` +
                `left: ${(index % columns) * side}px; width: ${side}px; height: ${line}px`;
            if (item.style.cssText !== style) item.style.cssText = style;
            item.setAttribute("aria-posinset", index + 1);
            item.setAttribute("aria-setsize", this.rows.length);
            return item;
        }

        redrawn(row, before) {
            const item = this.draw(row);
            Object.assign(item, {shows: row, revision: row.revision});
            item.dataset.id = row.id;
            if (!before) {
                if (this.fresh && this.fresh.has(row.id)) item.classList.add("pc-new");
                return item;
            }
            const focused = before.contains(document.activeElement) ? document.activeElement.classList[0] : "";
            before.replaceWith(item);
            if (focused) item.querySelector(`.${focused}`).focus({preventScroll: true});
            return item;
        }

        exchange(items) {
            for (const [id, item] of this.items) if (items.get(id) !== item) item.remove();
            let next = this.element.firstElementChild;
            for (const item of items.values()) {
                if (item === next) next = next.nextElementSibling;
                else this.element.insertBefore(item, next);
            }
            this.items = items;
        }

        /** Bring a row into sight, whole. */
        reveal(index) {
            const {columns, line} = this.measure();
            const top = Math.floor(index / columns) * line;
            const {scrollTop, clientHeight} = this.scroller;
            if (top < scrollTop) this.scroller.scrollTop = top;
            else if (top + line > scrollTop + clientHeight) this.scroller.scrollTop = top + line - clientHeight;
            this.render();
        }

        /** Draw all that is seen anew: something changed that rows do not say. */
        redraw() {
            for (const item of this.items.values()) item.revision = null;
            this.render();
        }
    }

    Object.assign(pc, {List});
})((window.payloadCapture = window.payloadCapture || {}));
