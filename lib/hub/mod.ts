/**
 * The Hugging Face hub: models and datasets in the cache folder that Python shares.
 *
 * @module
 */
export type { RepoRef } from "./cache_folder.ts";
export { type HubEnvironment, hubEnvironment, type ReadVariable } from "./environment.ts";
export { type Listing, type ListingLimits, type ListingOptions, listRepo } from "./listing.ts";
export type { RemoteFile } from "./remote_file.ts";
export type { RequestPatience } from "./request.ts";
export { type DownloadProgress, fetchSnapshot, modelFiles, type Snapshot, type SnapshotOptions } from "./snapshot.ts";
