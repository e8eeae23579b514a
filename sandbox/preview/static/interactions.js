// What a person does with commands and components, and what the page shows until the bot has answered.
import { byId, h, toast } from "./dom.js";
import { act } from "./door.js";
import { openModal } from "./modal.js";

const PATIENCE_SECONDS = 20;

// Never raises: what went wrong is told. Answers null then.
export async function interact(action, body, told) {
  const note = h("div", { class: "thinking" }, `Guildhall is thinking … (${told})`);
  byId("pending").append(note);
  try {
    const answer = await act(action, { ...body, wait: PATIENCE_SECONDS });
    if (answer.modal) openModal(answer, body);
    else if (!answer.acknowledged) toast("The application did not respond.");
    return answer;
  } catch (error) {
    toast(error.message);
    return null;
  } finally {
    note.remove();
  }
}
