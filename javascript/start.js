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

    document.addEventListener("payload_capture:job", (event) => {
        const place = places.get(event.detail.place);
        if (place) place.job(event.detail.text);
    });

    if (typeof onAfterUiUpdate === "function") onAfterUiUpdate(attach);
    else if (typeof onUiUpdate === "function") onUiUpdate(attach);

    Object.assign(pc, {places});
})((window.payloadCapture = window.payloadCapture || {}));
