// The fields of a tab, which gradio alone can read and fill: Python is asked through a hidden button
// of each tab, whose event takes them all along. One question at a time.
((pc) => {
    "use strict";

    const PATIENCE = 60000;

    let serial = 0;
    let asked = null; // the question that the event takes along, and who waits for its answer
    let last = Promise.resolve(); // settled when no question is under way

    document.addEventListener("payload_capture:ask", (event) => {
        event.detail.question = asked ? JSON.stringify(asked.question) : "";
    });

    document.addEventListener("payload_capture:answered", (event) => {
        let answer;
        try {
            answer = JSON.parse(event.detail.text);
        } catch (error) {
            answer = {id: null}; // the event failed
        }
        if (!asked) return;
        if (answer.id === null) asked.fail(new Error(pc.t(pc.GONE)));
        else if (answer.id !== asked.question.id) return; // to a question that waited too long
        else if (answer.error) asked.fail(new Error(answer.error));
        else asked.done(answer);
    });

    function formButton(tab) {
        return document.getElementById(`payload_capture_${tab}_form`);
    }

    /** Whether the page lets the fields of a tab be taken and filled. */
    function hasForm(tab) {
        return formButton(tab) !== null;
    }

    /** Ask Python to do something with a tab's fields; resolves with its answer. */
    function askForm(tab, name, more = {}) {
        const answer = last.then(() => press(tab, {id: ++serial, do: name, ...more}));
        last = answer.catch(() => null);
        return answer;
    }

    function press(tab, question) {
        return new Promise((resolve, reject) => {
            const settle = (act) => (value) => {
                clearTimeout(timer);
                asked = null;
                act(value);
            };
            const [done, fail] = [settle(resolve), settle(reject)];
            const timer = setTimeout(() => fail(new Error(pc.t(pc.GONE))), PATIENCE);
            asked = {question, done, fail};
            formButton(tab).click();
        });
    }

    Object.assign(pc, {hasForm, askForm});
})((window.payloadCapture = window.payloadCapture || {}));
