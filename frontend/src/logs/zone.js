// The reader's clock, as the server tells it: how far it is from UTC.
let shift = 0; // milliseconds

export function setZone(offset) {
  const [, sign, hours, minutes] = offset.match(/^([+-])(\d\d):(\d\d)$/) ?? [0, "+", 0, 0];
  shift = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60000;
}

// "2026-11-21T09:47:02.118" of a UTC stamp
export function local(at) {
  return shift ? new Date(Date.parse(`${at.slice(0, 23)}Z`) + shift).toISOString().slice(0, 23) : at.slice(0, 23);
}
