// Finds the places that Python put on the page, and lets each draw itself.
//
// Prompts and everything else that came from outside become text nodes: nothing here is parsed as
// HTML. The other files only define what this one starts, so the order in which they are loaded
// does not matter.
((pc) => {
    "use strict";

    if (pc.places) return; // this file was loaded twice
    const places = new Map();

    function attach() {
        for (const element of document.querySelectorAll(".payload-capture[data-place]:not([data-drawn])")) {
            const name = element.dataset.place;
            element.dataset.drawn = "1";
            const prose = element.closest(".prose"); // gradio's style for running text
            if (prose) prose.classList.remove("prose");
            if (places.has(name)) places.get(name).close(); // gradio drew the place anew
            places.set(name, name === "tab" ? new pc.Tab(element) : new pc.Accordion(element, name));
        }
    }

    function listen(name, act) {
        document.addEventListener(`payload_capture:${name}`, (event) => {
            const place = places.get(event.detail.place);
            if (place) act(place, event.detail);
        });
    }

    listen("ask", (place, detail) => {
        detail.question = place.channel.collect();
    });
    listen("answer", (place, detail) => place.channel.answered(detail.text));
    listen("job", (place, detail) => place.job && place.job(detail.text));

    if (typeof onAfterUiUpdate === "function") onAfterUiUpdate(attach);
    else if (typeof onUiUpdate === "function") onUiUpdate(attach);

    Object.assign(pc, {places});
})((window.payloadCapture = window.payloadCapture || {}));
