/**
 * The words of the sample's target domain, computing, written for it. All lists go through the same themes in the same
 * order: source code, building, releases, operation, networks, security, data, learning, graphics, offices, hardware. So
 * what stands at the same height in two lists belongs together.
 *
 * @module
 */
import { COUNTS, type Lexicon, named, nouns, opposites, phrases, verbs } from "./lexicon.ts";

const AGENTS = nouns(`
  programmer / coder < engineer
  maintainer / committer < contributor
  reviewer < contributor
  linter / analyser < checker
  compiler / translator < toolchain
  linker < toolchain
  debugger / tracer < checker
  tester < engineer
  packager / bundler < automation
  installer / updater < automation
  scheduler / planner < automation
  administrator / sysadmin < operator
  hypervisor < machine
  server / host < machine
  cluster < machine
  router / gateway < node
  proxy / relay < node
  modem < node
  client / peer < node
  firewall / packetfilter < defence
  hacker / cracker < intruder
  spammer / phisher < intruder
  virus / worm < malware
  trojan < malware
  antivirus / malwarescanner < defence
  cryptographer < specialist
  crawler / spider < indexer
  librarian / archivist < specialist
  analyst / statistician < specialist
  researcher / scientist < academic
  classifier / predictor < learner
  chatbot / assistant < learner
  designer / stylist < creator
  animator < creator
  renderer / rasteriser < viewer
  browser < viewer
  gamer / player < user
  blogger / columnist < creator
  subscriber / member < user
  moderator < operator
  technician / fitter < tinkerer
  hobbyist / amateur < tinkerer
  android / humanoid < robot
  drone / quadcopter < robot
`);

const OBJECTS = nouns(`
  function / subroutine < code
  module / component < code
  algorithm / procedure < code
  script / macro < code
  variable / identifier < symbol
  comment / remark < symbol
  bug / defect < flaw
  exception < flaw
  binary / executable < artefact
  backtrace / stacktrace < trace
  package / bundle < artefact
  patch / hotfix < artefact
  commit / revision < snapshot
  plugin / addon < artefact
  backup < snapshot
  process / job < workload
  daemon < workload
  kernel < system
  processor / cpu < resource
  heap / memory < resource
  packet / datagram < message
  request / call < message
  response < message
  socket / endpoint < connection
  subnet < connection
  website / homepage < site
  password / passphrase < credential
  certificate < credential
  loophole / vulnerability < weakness
  account / profile < identity
  session / login < identity
  database / datastore < storage
  record / tuple < entry
  attribute / field < entry
  index < catalogue
  query < statement
  dataset / corpus < data
  tensor / matrix < array
  embedding / vector < array
  histogram < diagram
  neuron / perceptron < estimator
  icon / pictogram < graphic
  font / typeface < graphic
  banner < graphic
  texture < graphic
  slider / scrollbar < widget
  cursor / pointer < widget
  avatar < character
  email / mail < correspondence
  attachment / enclosure < correspondence
  weblog / blog < feed
  newsletter / bulletin < feed
  spreadsheet / worksheet < paperwork
  directory / folder < paperwork
  keyboard / keypad < peripheral
  monitor / screen < peripheral
  headset < peripheral
  motherboard / mainboard < electronics
  microchip / circuit < electronics
  transistor < electronics
  battery / accumulator < electronics
  antenna / aerial < electronics
`);

const VERBS = verbs(`
  codes - coded / implements - implemented x deletes - deleted / expunges - expunged
  declares - declared / defines - defined x redefines - redefined / redeclares - redeclared
  refactors - refactored / restructures - restructured x obfuscates - obfuscated / garbles - garbled
  approves - approved / endorses - endorsed x vetoes - vetoed / disallows - disallowed
  compiles - compiled / translates - translated x decompiles - decompiled / disassembles - disassembled
  repairs - repaired / fixes - fixed / mends - mended x breaks - broken / damages - damaged / wrecks - wrecked
  tests - tested / validates - validated x skips - skipped / bypasses - bypassed
  merges - merged / combines - combined x splits - split / forks - forked
  publishes - published / ships - shipped x retracts - retracted / withdraws - withdrawn
  installs - installed / sets up - set up x uninstalls - uninstalled / purges - purged
  upgrades - upgraded / updates - updated x downgrades - downgraded / rolls back - rolled back
  launches - launched / executes - executed x terminates - terminated / halts - halted
  enables - enabled / activates - activated x disables - disabled / deactivates - deactivated
  allocates - allocated / reserves - reserved x deallocates - deallocated / reclaims - reclaimed
  overloads - overloaded / saturates - saturated x relieves - relieved / unburdens - unburdened
  connects - connected / attaches - attached x disconnects - disconnected / detaches - detached
  transmits - transmitted / sends - sent x receives - received / obtains - obtained
  uploads - uploaded x downloads - downloaded / fetches - fetched
  forwards - forwarded / reroutes - rerouted x blocks - blocked / intercepts - intercepted
  encrypts - encrypted / enciphers - enciphered x decrypts - decrypted / deciphers - deciphered
  authenticates - authenticated / authorises - authorised x impersonates - impersonated / spoofs - spoofed
  infects - infected / compromises - compromised x disinfects - disinfected / quarantines - quarantined
  protects - protected / shields - shielded x attacks - attacked / assaults - assaulted
  leaks - leaked / discloses - disclosed x redacts - redacted / censors - censored
  stores - stored / archives - archived x truncates - truncated / clears - cleared
  finds - found / discovers - discovered / locates - located x loses - lost / misplaces - misplaced
  sorts - sorted / orders - ordered x shuffles - shuffled / randomises - randomised
  compresses - compressed / zips - zipped x decompresses - decompressed / unzips - unzipped
  examines - examined / inspects - inspected x ignores - ignored / neglects - neglected
  classifies - classified / labels - labelled x misclassifies - misclassified / mislabels - mislabelled
  simplifies - simplified / reduces - reduced x complicates - complicated / inflates - inflated
  renders - rendered / visualises - visualised x blanks - blanked / obscures - obscured
  enlarges - enlarged / magnifies - magnified x minimises - minimised / downsizes - downsized
  animates - animated x freezes - frozen / pauses - paused
  highlights - highlighted / emphasises - emphasised x dims - dimmed / darkens - darkened
  recommends - recommended / upvotes - upvoted x demotes - demoted / downvotes - downvoted
  shares - shared / circulates - circulated x restricts - restricted / confines - confined
  prints - printed x scans - scanned / digitises - digitised
  solders - soldered / wires - wired x unsolders - unsoldered / unplugs - unplugged
  charges - charged / powers - powered x discharges - discharged / drains - drained
  overclocks - overclocked / accelerates - accelerated x underclocks - underclocked / decelerates - decelerated
  calibrates - calibrated / tunes - tuned x jams - jammed / disturbs - disturbed
`);

const TO_AGENTS = "approves vetoes repairs breaks tests skips installs uninstalls upgrades downgrades launches " +
  "terminates enables disables overloads relieves connects disconnects blocks forwards authenticates impersonates " +
  "infects disinfects protects attacks finds loses examines ignores classifies misclassifies highlights dims " +
  "recommends demotes charges discharges calibrates jams";

const PLACES = phrases(`
  in the editor / in the ide
  in the codebase / in the sourcetree
  on the commandline / in the console
  on the testbed / in the sandbox
  in the appstore / in the marketplace
  in production / on the livesystem
  in the datacentre / in the serverhall
  in the cloud
  on the mainframe
  on the intranet
  on the internet / on the web
  at the hotspot
  over the vpn / through the tunnel
  in the keystore / in the vault
  in the darknet
  in the cache / in the buffer
  in the warehouse / in the datalake
  in the notebook
  in the laboratory / in the lab
  on the dashboard
  on the canvas / in the viewport
  in the arcade
  in the metaverse
  in the chatroom / in the forum
  in the inbox / in the mailbox
  in the wiki / in the handbook
  at the helpdesk / at the servicedesk
  on the breadboard
  in the cleanroom
  in the rack / in the cabinet
`);

const TIMES = phrases(`
  at startup / at bootup
  at shutdown
  overnight
  every hour / hourly
  every minute
  before the deadline
  after the hackathon
  during the outage / during the downtime
  during the migration
  before the rollout
  after the standup
  on tuesday
  on thursday
  in beta
`);

const MANNERS = phrases(`
  automatically / mechanically
  manually
  remotely
  repeatedly / recursively
  efficiently / economically
  concurrently / simultaneously
  accidentally / inadvertently
  deliberately / intentionally
`);

const QUALITIES = opposites(`
  private / confidential x public
  obsolete / outdated x current
  local x remote
  valid / correct x invalid / erroneous
  static x dynamic
  virtual / simulated x physical / tangible
  temporary / transient x permanent / persistent
  robust / reliable x unstable / flaky
  portable x stationary
  huge / enormous x tiny / minuscule
  anonymous / nameless x signed
  readonly / immutable x writable / mutable
  proprietary / commercial x gratis
  secure / safe x insecure / unsafe
  redundant / superfluous x essential / vital
`);

/** The computing domain: what is done where, to what and by whom hangs together. */
export const COMPUTING: Lexicon = {
  agents: AGENTS,
  objects: OBJECTS,
  verbs: VERBS,
  toAgents: named(VERBS, TO_AGENTS),
  places: PLACES,
  times: TIMES,
  manners: MANNERS,
  qualities: QUALITIES,
  counts: COUNTS,
  reach: 0.25,
  splitBy: "kind",
};
