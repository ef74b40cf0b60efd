// The channel to Python: questions go to an event of gradio's, one at a time.
//
// They are sent past gradio's own page: for each event that it sends itself, it looks through all
// components of the page some times, which takes it 50 ms and more. And by the event's name: the
// numbers that the page knows are others when the webui is started anew with another extension.
((pc) => {
    "use strict";

    const PAUSE = 3000; // between attempts to reach a webui that is gone
    const PATIENCE = 15000;
    const GONE = "The webui does not answer. Is it still running?";
    const PATIENCE_FOR_PICTURES = 180000;
    const SESSION = Math.random().toString(36).slice(2);
    let serial = 0;
    const LAST = new Set(["thumbnails", "large"]); // many, and nobody waits for them alone

    /**
     * Asks Python by the event of a place, or of the bell, one question at a time; a lost one fails
     * after a while and piles nothing up.
     */
    class Channel {
        constructor(place) {
            this.place = place;
            this.waiting = [];
            this.current = null;
            this.down = false;
            this.retry = 0;
        }

        ask(name, more = {}, patience = PATIENCE) {
            return new Promise((resolve, reject) => {
                const question = {id: ++serial, do: name, ...more};
                const next = LAST.has(name) ? -1 : this.waiting.findIndex((one) => LAST.has(one.question.do));
                const at = next < 0 ? this.waiting.length : next;
                this.waiting.splice(at, 0, {question, patience, resolve, reject});
                if (!this.current) this.next();
            });
        }

        async next() {
            while ((this.current = this.waiting.shift() || null)) {
                const {question, patience, resolve, reject} = this.current;
                try {
                    const answer = await this.send(JSON.stringify(question), patience);
                    if (answer.error) reject(new Error(answer.error));
                    else resolve(answer);
                } catch (error) {
                    this.down = true;
                    reject(new Error(error instanceof Lost ? error.message : pc.t(GONE)));
                }
            }
        }

        /** The answer to a question. Raises where none comes in time. */
        async send(text, patience) {
            const body = {data: [text], session_hash: SESSION};
            const stop = new AbortController();
            const timer = setTimeout(() => stop.abort(), patience);
            try {
                const response = await fetch(`run/payload_capture_${this.place}`, {
                    method: "POST", headers: {"Content-Type": "application/json"},
                    body: JSON.stringify(body), signal: stop.signal,
                });
                if (response.status === 401) throw new Lost(pc.t("You are logged out of the webui: reload the page."));
                if (!response.ok) throw new Lost(pc.t("The webui answered {status}: reload the page.", {status: response.status}));
                const {data: [answer]} = await response.json();
                this.down = false;
                return JSON.parse(answer);
            } finally {
                clearTimeout(timer);
            }
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

    /** What keeps this page from asking; its message says it. */
    class Lost extends Error {}

    Object.assign(pc, {Channel, GONE, PATIENCE_FOR_PICTURES});
})((window.payloadCapture = window.payloadCapture || {}));
