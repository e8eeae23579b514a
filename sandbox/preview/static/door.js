// The way to the sandbox: POST, JSON, and the token that came behind the # of the address.

const KEPT = "guildhall-preview-token";

function taken() {
  const given = location.hash.slice(1);
  if (given) {
    sessionStorage.setItem(KEPT, given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(KEPT) ?? "";
}

let token = taken();
addEventListener("hashchange", () => {
  token = taken();
  location.reload();
});

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// Raises Refused with the sandbox's own words, and TypeError when nobody answers.
export async function act(action, body = {}, signal = undefined) {
  const response = await fetch("act/" + action, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: "Bearer " + token },
    body: JSON.stringify(body),
    signal,
  });
  const answer = await response.json();
  if (!response.ok) throw new Refused(response.status, answer.error ?? "refused");
  return answer;
}
