// The channel to Python: questions go through a hidden button of gradio's, one at a time.
((pc) => {
    "use strict";

    const PAUSE = 3000; // between attempts to reach a webui that is gone
    const PATIENCE = 15000;
    const GONE = "The webui does not answer. Is it still running?";
    const PATIENCE_FOR_PICTURES = 180000;
    const LAST = new Set(["thumbnails", "large"]); // many, and nobody waits for them alone

    /** Asks Python, one question at a time; a lost one fails after a while and piles nothing up. */
    class Channel {
        constructor(place) {
            this.place = place;
            this.waiting = [];
            this.current = null;
            this.serial = 0;
            this.lost = 0; // questions given up whose event may still come to its end
            this.down = false;
            this.retry = 0;
        }

        get busy() {
            return this.current !== null || this.waiting.length > 0;
        }

        ask(name, more = {}, patience = PATIENCE) {
            return new Promise((resolve, reject) => {
                const question = {id: ++this.serial, do: name, ...more};
                const next = LAST.has(name) ? -1 : this.waiting.findIndex((one) => LAST.has(one.question.do));
                const at = next < 0 ? this.waiting.length : next;
                this.waiting.splice(at, 0, {question, patience, resolve, reject, collected: false});
                this.next();
            });
        }

        next() {
            if (this.current || !this.waiting.length) return;
            this.current = this.waiting.shift();
            const ask = document.getElementById(`payload_capture_${this.place}_ask`);
            if (!ask) return this.fail("This page lost its connection to the webui: reload it.");
            const give = () => {
                this.lost += 1;
                this.fail(GONE);
            };
            this.current.timer = setTimeout(give, this.current.patience);
            ask.click();
        }

        collect() {
            return this.current ? JSON.stringify(this.current.question) : "";
        }

        answered(text) {
            let answer = {};
            try {
                answer = JSON.parse(text);
            } catch (error) {
                answer = {id: null}; // no answer yet: gradio's event failed
            }
            if (!this.current) return;
            if (answer.id !== this.current.question.id) {
                // An event that failed leaves the answer before it, and so does a lost one's end.
                if (this.lost > 0) this.lost -= 1;
                else this.fail(GONE);
                return;
            }
            this.lost = 0;
            this.down = false;
            if (answer.error) this.settle("reject", new Error(answer.error));
            else this.settle("resolve", answer);
        }

        fail(reason) {
            this.down = true;
            this.settle("reject", new Error(reason));
        }

        settle(how, what) {
            const current = this.current;
            this.current = null;
            clearTimeout(current.timer);
            current[how](what);
            this.next();
        }

        /** Whether anything answers at the webui's address; asked before a question after a failure. */
        async alive() {
            if (!this.down) return true;
            if (Date.now() < this.retry) return false;
            this.retry = Date.now() + PAUSE;
            const stop = new AbortController();
            const timer = setTimeout(() => stop.abort(), 5000);
            try {
                await fetch("internal/ping", {cache: "no-store", signal: stop.signal});
                this.down = false;
            } catch (error) {
                // still down
            }
            clearTimeout(timer);
            return !this.down;
        }
    }

    Object.assign(pc, {Channel, GONE, PATIENCE_FOR_PICTURES});
})((window.payloadCapture = window.payloadCapture || {}));
